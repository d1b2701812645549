// Package fingerprint describes the machine that a benchmark runs on: what it is,
// and how late a bare timer is on it. No bridge can be better than that timer.
package fingerprint

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/stack"
)

// Machine describes this machine, with the Debian versions of packages. It
// measures for 14 s.
func Machine(packages ...string) (results.Machine, error) {
	m := results.Machine{
		Processor: Processor(), Processors: runtime.NumCPU(), Go: runtime.Version(),
		Kernel: first("/proc/sys/kernel/osrelease") + " " + first("/proc/sys/kernel/version"), Distribution: distribution(), Load: first("/proc/loadavg"),
		Packages: map[string]string{}, TimerUs: map[string]results.Lateness{},
	}
	for _, name := range packages {
		version, err := exec.Command("dpkg-query", "-W", "-f=${Version}", name).Output()
		if err != nil {
			return m, fmt.Errorf("package %s is not installed: scripts/deps.sh bench", name)
		}
		m.Packages[name] = string(version)
	}
	for name, quiet := range map[string]bool{"plain": false, "quiet": true} {
		lateness, err := timer(quiet)
		if err != nil {
			return m, err
		}
		m.TimerUs[name] = lateness
	}
	return m, nil
}

// Text is the description in three lines.
func Text(m results.Machine) string {
	text := fmt.Sprintf("%s, %d processors (%s), %s\nLinux %s\nload %s\n", m.Go, m.Processors, m.Processor, m.Distribution, m.Kernel, m.Load)
	for _, name := range []string{"plain", "quiet"} {
		late := m.TimerUs[name]
		text += fmt.Sprintf("bare timer every 667 us, %s: late by p50 %g, p99 %g, p99.9 %g us; more than 667 us: %.2f %%\n",
			name, late.P50, late.P99, late.P999, 100*late.Share667)
	}
	return text
}

// timer measures how late a timer is that expires every 32 frames, with the
// processors kept awake or not.
func timer(quiet bool) (late results.Lateness, err error) {
	s, err := stack.New()
	if err != nil {
		return late, err
	}
	defer func() {
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
	}()
	args := []string{"-q", "-p", "80", "-i", "667", "-l", "9000", "-h", "20000"}
	if quiet {
		if err := s.Quiet(); err != nil {
			return late, err
		}
	} else {
		args = append(args, "--latency=1000000") // else it keeps the processors awake itself
	}
	// Histogram of lateness in us; its tail ends at 20 ms.
	out, err := exec.Command("cyclictest", args...).Output()
	if err != nil {
		return late, fmt.Errorf("cyclictest (Debian package rt-tests): %w", err)
	}
	return lateness(string(out)), nil
}

// lateness reads cyclictest's -h output.
func lateness(text string) results.Lateness {
	var counts []int // by microsecond
	total, most := 0, 0
	for line := range strings.Lines(text) {
		var us, count int
		if n, _ := fmt.Sscanf(line, "%06d %06d", &us, &count); n == 2 && us == len(counts) {
			counts = append(counts, count)
			total += count
		}
		// What was later than the histogram is long is counted and not in it.
		_, _ = fmt.Sscanf(line, "# Max Latencies: %d", &most)
		if n, _ := fmt.Sscanf(line, "# Histogram Overflows: %d", &count); n == 1 {
			total += count
		}
	}
	quantile := func(q float64) float64 {
		seen := 0
		for us, count := range counts {
			if seen += count; float64(seen) >= q*float64(total) {
				return float64(us)
			}
		}
		return float64(most)
	}
	within := 0
	for us := range min(668, len(counts)) {
		within += counts[us]
	}
	return results.Lateness{
		P50: quantile(.5), P99: quantile(.99), P999: quantile(.999), Max: float64(most),
		Share667: 1 - float64(within)/float64(max(1, total)),
	}
}

// Processor is the model of the processor.
func Processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func distribution() string {
	text, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return "unknown"
}

func first(path string) string {
	text, _ := os.ReadFile(path)
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return string(line)
}

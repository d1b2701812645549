package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"archibald-bridge/testbed/stack"
)

// machine describes where this runs, with the lateness of a bare timer every 32
// frames: what is printed after it cannot be better than that.
func machine(w io.Writer) error {
	kernel, err := os.ReadFile("/proc/version")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s, %s, %d processors (%s)\n%s\n", time.Now().Format("2006-01-02 15:04"), runtime.Version(),
		runtime.NumCPU(), processor(), bytes.TrimSpace(kernel))
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(w, "load %s\n", bytes.TrimSpace(load))
	for _, quiet := range []bool{false, true} {
		if err := timerJitter(w, quiet); err != nil {
			return err
		}
	}
	return nil
}

func timerJitter(w io.Writer, quiet bool) error {
	s, err := stack.New()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if quiet {
		if err := s.Quiet(); err != nil {
			return err
		}
	}
	// Histogram of lateness in us; its tail ends at 20 ms.
	out, err := exec.Command("cyclictest", "-q", "-p", "80", "-i", "667", "-l", "9000", "-h", "20000").Output()
	if err != nil {
		return fmt.Errorf("cyclictest (Debian package rt-tests): %w", err)
	}
	late, total := histogram(string(out))
	fmt.Fprintf(w, "bare timer every 667 us, kept awake %v: late by p50 %d, p99 %d, p99.9 %d us; more than 667 us: %.2f %%\n",
		quiet, quantile(late, total, .5), quantile(late, total, .99), quantile(late, total, .999), 100*share(late, total, 667))
	return nil
}

// histogram reads cyclictest's -h output: counts by microsecond, and their sum.
func histogram(text string) (late []int, total int) {
	for line := range strings.Lines(text) {
		var us, count int
		if n, _ := fmt.Sscanf(line, "%06d %06d", &us, &count); n != 2 || us != len(late) {
			continue
		}
		late = append(late, count)
		total += count
	}
	return late, total
}

func quantile(late []int, total int, q float64) int {
	seen := 0
	for us, count := range late {
		if seen += count; float64(seen) >= q*float64(total) {
			return us
		}
	}
	return len(late)
}

func share(late []int, total, beyondUs int) float64 {
	seen := 0
	for us := beyondUs + 1; us < len(late); us++ {
		seen += late[us]
	}
	return float64(seen) / float64(max(1, total))
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/stack"
)

// cost measures the processor time and the memory of both ends, stereo in both
// directions at period 32, and for comparison those of zita-njbridge's four programs
// between two JACK servers.
func cost(length time.Duration) error {
	fmt.Println("program          CPU % of one processor    own resident MB")
	config := endtoend.Config{PeriodFrames: 32, Common: []string{"--latency", "4ms"}}
	err := with(config, func(r *endtoend.Rig) error {
		return usage(length, []*stack.Process{r.Guest, r.Host})
	})
	if err != nil {
		return err
	}
	return zita(length)
}

// usage prints what the processes use over a time, one a line, and their sum.
func usage(length time.Duration, processes []*stack.Process) error {
	time.Sleep(3 * time.Second) // past start-up
	before := make([]time.Duration, len(processes))
	for i, p := range processes {
		var err error
		if before[i], err = p.ProcessorTime(); err != nil {
			return err
		}
	}
	begin := time.Now()
	time.Sleep(length)
	elapsed := time.Since(begin)
	sum := 0.0
	for i, p := range processes {
		after, err := p.ProcessorTime()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", p.Name, err, p.LogTail())
		}
		percent := 100 * float64(after-before[i]) / float64(elapsed)
		sum += percent
		fmt.Printf("%-15s  %8.2f                  %6.1f\n", p.Name, percent, residentMB(p.PID()))
	}
	fmt.Printf("%-15s  %8.2f\n", "sum", sum)
	return nil
}

// residentMB is what the process itself holds. The 107 MB that jackd shares with
// each of its clients are jackd's (proc(5): RssShmem).
func residentMB(pid int) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	sum := 0.0
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if name == "RssAnon" || name == "RssFile" {
			kB, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
			sum += kB / 1024
		}
	}
	return sum
}

// zita runs zita-njbridge in both directions between two JACK servers.
func zita(length time.Duration) (err error) {
	s, err := stack.New()
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
	}()
	if err := s.Quiet(); err != nil {
		return err
	}
	guest, err := s.StartJackd("guest", 32, *rateHz)
	if err != nil {
		return err
	}
	host, err := s.StartJackd("host", 32, *rateHz)
	if err != nil {
		return err
	}
	const toHost, toGuest = "127.47.13.1", "127.47.13.2"
	var processes []*stack.Process
	for _, program := range []struct {
		name string
		args []string
	}{
		{"n2j-host", []string{"zita-n2j", "--jserv", host.Server, "--jname", "n2j", "--buff", "5", toHost, "4713"}},
		{"n2j-guest", []string{"zita-n2j", "--jserv", guest.Server, "--jname", "n2j", "--buff", "5", toGuest, "4713"}},
		{"j2n-guest", []string{"zita-j2n", "--jserv", guest.Server, "--jname", "j2n", "--float", toHost, "4713"}},
		{"j2n-host", []string{"zita-j2n", "--jserv", host.Server, "--jname", "j2n", "--float", toGuest, "4713"}},
	} {
		p, err := s.StartPatiently("zita-"+program.name, nil, program.args[0], program.args[1:]...)
		if err != nil {
			return err
		}
		processes = append(processes, p)
	}
	return usage(length, processes)
}

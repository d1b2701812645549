// Command jittertrace records how late jackd's cycles begin on this machine, for
// the simulator to replay: one number a line, in nanoseconds after the earliest
// that the cycle could have begun. Lines that begin with # say what was recorded.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/stack"
)

func main() {
	period := flag.Int("period", 256, "frames per period")
	duration := flag.Duration("duration", 2*time.Minute, "how long to record")
	quiet := flag.Bool("quiet", true, "keep the processors awake meanwhile")
	output := flag.String("output", "trace.txt", "file to write")
	flag.Parse()
	if err := run(*period, *duration, *quiet, *output); err != nil {
		fmt.Fprintln(os.Stderr, "jittertrace:", err)
		os.Exit(1)
	}
}

func run(period int, duration time.Duration, quiet bool, output string) error {
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
	binary, err := probe.Build(s.Dir)
	if err != nil {
		return err
	}
	jackd, err := s.StartJackd("trace", period, 48000)
	if err != nil {
		return err
	}
	p, err := probe.Start(s, probe.Config{Binary: binary, Name: "trace", JackServer: jackd.Server, Duration: duration})
	if err != nil {
		return err
	}
	recorded, err := p.Finish()
	if err != nil {
		return err
	}
	return write(output, period, quiet, lateness(recorded), recorded.Xruns)
}

// window is over how many cycles the earliest is sought: long enough to hold a
// punctual one, short enough that clocks do not drift apart in it.
const window = 200

// lateness is of every cycle, against a grid through the earliest ones near it.
// Where the server lost time the grid begins again.
func lateness(r *recording.Recording) []int64 {
	var late []int64
	begin := 0
	for k := 1; k <= len(r.Cycles); k++ {
		if k < len(r.Cycles) && r.Cycles[k].LostFrames == 0 && k-begin < window {
			continue
		}
		late = append(late, latenessOf(r, begin, k)...)
		begin = k
	}
	return late
}

func latenessOf(r *recording.Recording, begin, end int) []int64 {
	late := make([]int64, 0, end-begin)
	first := r.Cycles[begin]
	for _, c := range r.Cycles[begin:end] {
		frames := int64(c.FrameTime - first.FrameTime) // counts cycles that this client missed
		late = append(late, c.MonotonicNs-first.MonotonicNs-frames*1e9/int64(r.RateHz))
	}
	earliest := slices.Min(late)
	for i := range late {
		late[i] -= earliest
	}
	return late
}

func write(path string, period int, quiet bool, late []int64, xruns int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	sorted := slices.Sorted(slices.Values(late))
	at := func(q float64) int64 { return sorted[int(q*float64(len(sorted)-1))] }
	fmt.Fprintf(w, "# jackd2 dummy, period %d, 48 kHz, %d processors, kept awake: %v, %s\n", period, runtime.NumCPU(), quiet, time.Now().Format(time.DateOnly))
	fmt.Fprintf(w, "# %d cycles, %d xruns; ns late: p50 %d, p99 %d, p99.9 %d, max %d\n", len(late), xruns, at(.5), at(.99), at(.999), at(1))
	for _, ns := range late {
		fmt.Fprintln(w, ns)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

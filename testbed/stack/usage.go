package stack

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ProcessorTime is what all threads of the program have run (schedstat, in
// nanoseconds: Linux, Documentation/scheduler/sched-stats.rst).
func (p *Process) ProcessorTime() (time.Duration, error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.PID()))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, task := range tasks {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", p.PID(), task.Name()))
		if err != nil {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// StartPatiently starts a JACK client that ends when it is refused, as jackd2
// refuses one now and then while another is leaving, and starts it again until
// it stays.
func (s *Stack) StartPatiently(name string, env []string, program string, args ...string) (*Process, error) {
	p, err := s.Start(name, env, program, args...)
	if err != nil {
		return nil, err
	}
	for range 6 {
		time.Sleep(time.Second)
		if p.Alive() {
			return p, nil
		}
		if err := p.start(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s does not stay: %s", name, p.LogTail())
}

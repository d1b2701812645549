package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"archibald-bridge/testbed/stack"
)

// waits counts how often all threads of processes gave up a processor to wait for
// something (proc_pid_status(5), voluntary_ctxt_switches): as often they were woken.
func waits(processes []*stack.Process) (sum int, err error) {
	for _, p := range processes {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.PID()))
		if err != nil {
			return 0, err
		}
		for _, path := range tasks {
			text, err := os.ReadFile(path)
			if err != nil {
				continue // the thread has ended
			}
			n, err := waitsOf(text)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", path, err)
			}
			sum += n
		}
	}
	return sum, nil
}

var voluntary = regexp.MustCompile(`(?m)^voluntary_ctxt_switches:\s*(\d+)$`)

func waitsOf(status []byte) (int, error) {
	match := voluntary.FindSubmatch(status)
	if match == nil {
		return 0, fmt.Errorf("no voluntary_ctxt_switches")
	}
	return strconv.Atoi(string(match[1]))
}

// systemCalls counts those of processes for some time, by strace (1), and returns how many
// they were in a second. It slows down what it counts.
func systemCalls(processes []*stack.Process, length time.Duration) (perSecond float64, err error) {
	args := []string{"-f", "-c", "-U", "calls"}
	for _, p := range processes {
		args = append(args, "-p", strconv.Itoa(p.PID()))
	}
	command := exec.Command("strace", args...)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Start(); err != nil {
		return 0, fmt.Errorf("strace (Debian package strace): %w", err)
	}
	begin := time.Now()
	time.Sleep(length)
	// At an interrupt it lets go of them and says what it has counted.
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		return 0, err
	}
	elapsed := time.Since(begin)
	_ = command.Wait() // ended by the signal
	calls, err := countedCalls(said.Bytes())
	return float64(calls) / elapsed.Seconds(), err
}

var total = regexp.MustCompile(`(?m)^\s*(\d+) +total$`)

func countedCalls(table []byte) (int, error) {
	match := total.FindSubmatch(table)
	if match == nil {
		return 0, fmt.Errorf("strace counted nothing: %s", bytes.TrimSpace(table))
	}
	return strconv.Atoi(string(match[1]))
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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

// systemCalls counts those of processes for some time, by the kernel's own counter of them
// (perf-stat(1)), and returns how many they were in a second.
func systemCalls(processes []*stack.Process, length time.Duration) (perSecond float64, err error) {
	var pids []string
	for _, p := range processes {
		pids = append(pids, strconv.Itoa(p.PID()))
	}
	out, err := exec.Command("perf", "stat", "-x", ",", "-e", callsEvent, "-p", strings.Join(pids, ","), "--",
		"sleep", strconv.FormatFloat(length.Seconds(), 'f', -1, 64)).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("perf (Debian package linux-perf): %w: %s", err, bytes.TrimSpace(out))
	}
	calls, err := countedCalls(out)
	return float64(calls) / length.Seconds(), err
}

const callsEvent = "raw_syscalls:sys_enter"

// countedCalls reads what perf stat -x , prints.
func countedCalls(table []byte) (int, error) {
	for line := range strings.Lines(string(table)) {
		if fields := strings.Split(line, ","); len(fields) > 2 && fields[2] == callsEvent {
			if n, err := strconv.Atoi(fields[0]); err == nil {
				return n, nil
			}
		}
	}
	return 0, fmt.Errorf("perf counted nothing: %s", bytes.TrimSpace(table))
}

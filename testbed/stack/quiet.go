package stack

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

// Under sched(7)'s autogroup feature SCHED_IDLE yields within its session only: the
// session as a whole competes with the kernel's own threads as an ordinary one does, and
// memory was not given back for half a minute. So a spinner has a session, the nicest.
const spin = "echo 19 2>/dev/null >/proc/self/autogroup; while :; do :; done"

// Quiet keeps this machine's processors awake until Close: it holds
// /dev/cpu_dma_latency at 0 (Linux, Documentation/power/pm_qos_interface.rst)
// and runs one SCHED_IDLE spinner per processor (sched(7)), which any other
// thread displaces at once. Waking an idle virtual processor is the largest
// cause of xruns in virtual machines. It needs root.
func (s *Stack) Quiet() error {
	latency, err := os.OpenFile("/dev/cpu_dma_latency", os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("quiet: %w", err)
	}
	s.mu.Lock()
	s.held = append(s.held, latency)
	s.mu.Unlock()
	if _, err := latency.Write(make([]byte, 4)); err != nil { // 0 us, as a 32-bit number
		return fmt.Errorf("quiet: %w", err)
	}
	if _, err := find("taskset"); err != nil {
		return err
	}
	for processor := range runtime.NumCPU() {
		number := strconv.Itoa(processor)
		_, err := s.add(&Process{Name: "spinner-" + number, session: true}, "chrt", "-i", "0", "taskset", "-c", number, "sh", "-c", spin)
		if err != nil {
			return err
		}
	}
	return nil
}

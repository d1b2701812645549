package stalls

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func monotonicNs() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}

// A thread that even the witness cannot interrupt stands for the hypervisor.
func TestAProcessorThatStandsStillIsSeenThereAndThen(t *testing.T) {
	processor := runtime.NumCPU() - 1
	watch, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	begin := monotonicNs()
	if err := occupy(processor, 5*time.Millisecond); err != nil {
		_, _ = watch.Stop()
		t.Fatal(err)
	}
	end := monotonicNs()
	time.Sleep(20 * time.Millisecond)
	seen := false
	stalls, err := watch.Stop()
	if err != nil {
		t.Error(err)
	}
	for _, stall := range stalls {
		t.Logf("%+v", stall)
		seen = seen || stall.Processor == processor && stall.Length >= 4*time.Millisecond && stall.TimeNs >= begin && stall.TimeNs < end
	}
	if !seen {
		t.Errorf("5 ms on processor %d, within %d to %d, were not seen", processor, begin, end)
	}
}

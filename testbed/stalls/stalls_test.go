package stalls

import (
	"errors"
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
	var begin, end int64
	stalls, err := During(func() error {
		time.Sleep(20 * time.Millisecond)
		begin = monotonicNs()
		err := occupy(processor, 5*time.Millisecond)
		end = monotonicNs()
		time.Sleep(20 * time.Millisecond)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, stall := range stalls {
		t.Logf("%+v", stall)
		seen = seen || stall.Processor == processor && stall.Length >= 4*time.Millisecond && stall.TimeNs >= begin && stall.TimeNs < end
	}
	if !seen {
		t.Errorf("5 ms on processor %d, within %d to %d, were not seen", processor, begin, end)
	}
}

func TestAFrozenMachineStandsStillOnEveryProcessor(t *testing.T) {
	stalls, err := During(func() error {
		time.Sleep(20 * time.Millisecond)
		return Freeze(5 * time.Millisecond)
	})
	if err != nil {
		t.Fatal(err)
	}
	stood := map[int]bool{}
	for _, stall := range stalls {
		stood[stall.Processor] = stood[stall.Processor] || stall.Length >= 4*time.Millisecond
	}
	for processor := range runtime.NumCPU() {
		if !stood[processor] {
			t.Errorf("processor %d went on: %+v", processor, stalls)
		}
	}
}

func TestAFailureDuringTheWatchIsTold(t *testing.T) {
	failure := errors.New("no sound")
	if _, err := During(func() error { return failure }); !errors.Is(err, failure) {
		t.Errorf("told %v", err)
	}
}

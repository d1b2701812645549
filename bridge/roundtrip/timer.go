package roundtrip

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// timerPriority is above jackd's and its clients' usual 10 to 80, so that the
// machine is measured and not what runs on it.
const timerPriority = 85

// Lateness is how late a bare timer woke up: no audio server can do better.
type Lateness struct {
	Policy     string  `json:"policy"` // of the thread: "SCHED_FIFO 85", or "SCHED_OTHER" without the right to it
	IntervalUs float64 `json:"interval_us"`
	P50Us      float64 `json:"p50_us"`
	P99Us      float64 `json:"p99_us"`
	P999Us     float64 `json:"p999_us"`
	MaxUs      float64 `json:"max_us"`
}

// TimerLateness sleeps until every multiple of interval (clock_nanosleep(2), at
// absolute times) for a while.
func TimerLateness(interval, length time.Duration) (Lateness, error) {
	var policy string
	var late []float64
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		var lower func() error
		policy, lower = raisePriority()
		late, failed = wake(interval, int(length/interval))
		if lower() == nil {
			runtime.UnlockOSThread() // else no other goroutine may have this thread
		}
	}()
	<-done
	if failed != nil {
		return Lateness{}, fmt.Errorf("timer: %w", failed)
	}
	slices.Sort(late)
	return Lateness{
		Policy:     policy,
		IntervalUs: float64(interval) / 1e3,
		P50Us:      quantile(late, 0.5),
		P99Us:      quantile(late, 0.99),
		P999Us:     quantile(late, 0.999),
		MaxUs:      late[len(late)-1],
	}, nil
}

// raisePriority makes the calling thread real-time where that is allowed, and
// returns what it is then and how to undo it.
func raisePriority() (policy string, lower func() error) {
	before, err := unix.SchedGetAttr(0, 0)
	if err == nil {
		err = unix.SchedSetAttr(0, &unix.SchedAttr{
			Size:     unix.SizeofSchedAttr,
			Policy:   unix.SCHED_FIFO,
			Flags:    unix.SCHED_FLAG_RESET_ON_FORK,
			Priority: timerPriority,
		}, 0)
	}
	if err != nil {
		return "SCHED_OTHER", func() error { return nil }
	}
	before.Flags |= unix.SCHED_FLAG_RESET_ON_FORK // to clear it needs a right that to set it did not (sched(7))
	return fmt.Sprintf("SCHED_FIFO %d", timerPriority), func() error { return unix.SchedSetAttr(0, before, 0) }
}

// wake returns how late it was each time, in microseconds.
func wake(interval time.Duration, count int) ([]float64, error) {
	late := make([]float64, max(1, count))
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return nil, err
	}
	due := now.Nano()
	for i := range late {
		due += interval.Nanoseconds()
		at := unix.NsecToTimespec(due)
		err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil)
		for errors.Is(err, unix.EINTR) { // Go's own signals
			err = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil)
		}
		if err != nil {
			return nil, err
		}
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
			return nil, err
		}
		late[i] = float64(now.Nano()-due) / 1e3
		if now.Nano() > due+interval.Nanoseconds() {
			due = now.Nano() // what was missed is not caught up with
		}
	}
	return late, nil
}

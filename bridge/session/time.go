package session

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// timeSource is the time as an end sees it. Tests have their own.
type timeSource interface {
	// monotonicNs is CLOCK_MONOTONIC, the clock of the core's observations.
	monotonicNs() int64
	// wall is a moment of CLOCK_MONOTONIC on the clock that this end's reports
	// are on, and how far that can be off.
	wall(ns int64) (time.Time, time.Duration)
}

// HostClock is the host's wall clock as a guest can read it.
type HostClock interface {
	NowNs() (int64, error) // since 1970
}

// systemTime has reports on CLOCK_REALTIME, or on the host's clock.
type systemTime struct{ host HostClock }

func (systemTime) monotonicNs() int64 { return clockNs(unix.CLOCK_MONOTONIC) }

func (s systemTime) wall(ns int64) (time.Time, time.Duration) {
	wallNs, errorNs := correlate(s.monotonicNs, s.wallNs, ns)
	return time.Unix(0, wallNs), time.Duration(errorNs)
}

func (s systemTime) wallNs() int64 {
	if s.host != nil {
		if ns, err := s.host.NowNs(); err == nil {
			return ns
		}
	}
	return clockNs(unix.CLOCK_REALTIME)
}

func clockNs(id int32) int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(id, &t) // cannot fail (clock_gettime(2))
	return t.Nano()
}

const readings = 5

// correlate is the wall time at a moment of the monotonic clock, and half of the
// time that the best reading of the two took: a thread can lose its processor
// between any two of them.
func correlate(monotonicNs, wallNs func() int64, ns int64) (atNs, errorNs int64) {
	least := int64(math.MaxInt64)
	for range readings {
		before := monotonicNs()
		wall := wallNs()
		if took := monotonicNs() - before; took < least {
			least = took
			atNs = wall + ns - before - took/2
		}
	}
	return atNs, (least + 1) / 2
}

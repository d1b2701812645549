package session

import (
	"time"

	"golang.org/x/sys/unix"
)

// timeSource is the time as an end sees it. Tests have their own.
type timeSource interface {
	// monotonicNs is CLOCK_MONOTONIC, the clock of the core's observations.
	monotonicNs() int64
	// wall is the wall clock time of a moment of CLOCK_MONOTONIC.
	wall(ns int64) time.Time
}

type systemTime struct{}

func (systemTime) monotonicNs() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail (clock_gettime(2))
	return t.Nano()
}

func (s systemTime) wall(ns int64) time.Time {
	return time.Now().Add(-time.Duration(s.monotonicNs() - ns))
}

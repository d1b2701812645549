// Package stalls is a witness of the machine itself: it notes when a processor stood
// still. A hypervisor that runs something else on it does that; so does a kernel that
// may not be interrupted, and the two cannot be told apart.
package stalls

/*
#cgo CFLAGS: -std=gnu11 -Wall -Wextra
#include <stdlib.h>
#include "watch.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"
	"unsafe"
)

// priority is above those of all audio servers (jackd -P, PipeWire 88), and of all
// that the kernel itself runs but its stop and migration threads.
const priority = 98

// Stall is a time in which a processor stood still.
type Stall struct {
	Processor int
	TimeNs    int64 // CLOCK_MONOTONIC at its beginning, at most 250 us late
	Length    time.Duration
}

// During runs f and returns the stalls of 150 us and more meanwhile, in order of time.
// Without the right to real-time scheduling nobody sees them. It fails as f does, and
// when there were too many to note.
func During(f func() error) ([]Stall, error) {
	w, err := start()
	if errors.Is(err, syscall.EPERM) {
		return nil, f()
	}
	if err != nil {
		return nil, err
	}
	err = f()
	found, full := w.stop()
	return found, errors.Join(err, full)
}

// watch notes stalls of 150 us and more from start to stop.
type watch struct{ processors []*C.struct_stalls_watch }

// start watches every processor. It needs the right to real-time scheduling.
func start() (*watch, error) {
	w := new(watch)
	for processor := range runtime.NumCPU() {
		p := C.stalls_start(C.int(processor), priority)
		if p == nil {
			_, _ = w.stop()
			return nil, fmt.Errorf("stalls: no thread for processor %d", processor)
		}
		w.processors = append(w.processors, p)
		for C.stalls_ready(p) == 0 {
			time.Sleep(time.Millisecond)
		}
		if p.failed != 0 {
			err := fmt.Errorf("stalls: SCHED_FIFO %d on processor %d: %w", priority, processor, syscall.Errno(p.failed))
			_, _ = w.stop()
			return nil, err
		}
	}
	return w, nil
}

// stop ends the watch and returns what was noted. It is called once,
// and fails when there was no room for all of it.
func (w *watch) stop() (found []Stall, err error) {
	for _, p := range w.processors {
		C.stalls_stop(p)
		for _, stall := range p.found[:p.count] {
			found = append(found, Stall{int(p.processor), int64(stall.end_ns - stall.late_ns), time.Duration(stall.late_ns)})
		}
		if p.dropped > 0 {
			err = fmt.Errorf("stalls: processor %d stood still more than %d times", int(p.processor), int(p.count))
		}
		C.free(unsafe.Pointer(p))
	}
	slices.SortFunc(found, func(a, b Stall) int { return int(a.TimeNs - b.TimeNs) })
	return found, err
}

// Freeze makes a stall on purpose: for so long every processor does nothing else, not even
// the kernel's own threads. It needs the right to real-time scheduling. More than some tens
// of milliseconds the kernel does not allow (sched(7), RT throttling).
func Freeze(length time.Duration) error {
	done := make(chan error)
	for processor := range runtime.NumCPU() {
		go func() { done <- occupy(processor, length) }()
	}
	var errs []error
	for range runtime.NumCPU() {
		errs = append(errs, <-done)
	}
	return errors.Join(errs...)
}

// occupy makes a stall of one processor.
func occupy(processor int, length time.Duration) error {
	if code := C.stalls_occupy(C.int(processor), priority+1, C.int64_t(length)); code != 0 {
		return fmt.Errorf("stalls: SCHED_FIFO %d on processor %d: %w", priority+1, processor, syscall.Errno(code))
	}
	return nil
}

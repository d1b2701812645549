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

// Watch notes stalls of 150 us and more from Start to Stop.
type Watch struct{ processors []*C.struct_stalls_watch }

// Start watches every processor. It needs the right to real-time scheduling.
func Start() (*Watch, error) {
	w := new(Watch)
	for processor := range runtime.NumCPU() {
		p := C.stalls_start(C.int(processor), priority)
		if p == nil {
			_, _ = w.Stop()
			return nil, fmt.Errorf("stalls: no thread for processor %d", processor)
		}
		w.processors = append(w.processors, p)
		for C.stalls_ready(p) == 0 {
			time.Sleep(time.Millisecond)
		}
		if p.failed != 0 {
			err := fmt.Errorf("stalls: SCHED_FIFO %d on processor %d: %w", priority, processor, syscall.Errno(p.failed))
			_, _ = w.Stop()
			return nil, err
		}
	}
	return w, nil
}

// Stop ends the watch and returns what was noted, in order of time. It is called once,
// and fails when there was no room for all of it.
func (w *Watch) Stop() (found []Stall, err error) {
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

// occupy lets the tests, which cannot use cgo, make a stall.
func occupy(processor int, length time.Duration) error {
	if code := C.stalls_occupy(C.int(processor), priority+1, C.int64_t(length)); code != 0 {
		return syscall.Errno(code)
	}
	return nil
}

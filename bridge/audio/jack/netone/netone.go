package netone

/*
#cgo CFLAGS: -std=gnu11 -fvisibility=hidden -Wall -Wextra
#include "drive.h"

static void *captured_function(void) { return (void *)archibald_netone_captured; }
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// The header that the C files of this package include belongs to bridge/rt, and
// Go's build cache does not see it change. This constant does.
const _ = rt.HeaderHash

// Drive drives one netone. Its methods are for one goroutine at a time.
type Drive struct {
	c            *C.struct_archibald_netone_drive
	socket, wake int
}

// Open makes a Drive for the netone that listens on a UDP port of this machine. Whether there is
// one, its answers tell.
func Open(port int) (*Drive, error) {
	d := &Drive{socket: -1, wake: -1}
	err := d.open(port)
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("netone on port %d: %w", port, err)
	}
	return d, nil
}

func (d *Drive) open(port int) (err error) {
	if d.c = C.archibald_netone_new(); d.c == nil {
		return errors.New("out of memory")
	}
	if d.wake, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return err
	}
	if d.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	return unix.Connect(d.socket, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
}

// Captured is what capture's process callback calls last, a void (*)(void *) and its
// argument. It is legal from Open to Close.
func (d *Drive) Captured() (function, argument unsafe.Pointer) {
	return C.captured_function(), unsafe.Pointer(d.c)
}

// Graph is what there is to drive.
type Graph struct {
	RateHz, PeriodFrames int            // netone's own
	Priority             int            // of the thread, for SCHED_FIFO; 0: an ordinary one
	Freewheels           unsafe.Pointer // const _Atomic uint32_t *: not 0 while the graph is not in real time
}

// Start starts the thread, once. It calls the core until Stop returns.
func (d *Drive) Start(core stream.Callbacks, graph Graph) error {
	c := d.c
	c.engine, c.follow, c.media = (*C.archibald_engine)(core.Engine), C.archibald_follow_fn(core.Follow), C.int(core.Socket)
	if core.Follow == nil {
		c.media = -1
	}
	c.socket, c.wake = C.int(d.socket), C.int(d.wake)
	c.priority = C.int(graph.Priority)
	c.period_ns = C.int64_t(int64(graph.PeriodFrames) * 1e9 / int64(graph.RateHz))
	c.freewheels = (*C.uint32_t)(graph.Freewheels)
	c.netone.rate_hz, c.netone.period_frames = C.uint32_t(graph.RateHz), C.uint32_t(graph.PeriodFrames)
	if number := C.archibald_netone_start(c); number != 0 {
		return fmt.Errorf("the thread that drives netone: %w", unix.Errno(number))
	}
	return nil
}

// Answers is how many cycles netone said that it ran.
func (d *Drive) Answers() uint64 { return uint64(C.archibald_netone_answers(d.c)) }

// Thread is the Linux id of the thread; 0: it has not run yet.
func (d *Drive) Thread() int { return int(C.archibald_netone_thread_id(d.c)) }

// Stop ends the thread. The graph is netone's own then, which runs cycles late and goes on
// without anybody.
func (d *Drive) Stop() { C.archibald_netone_stop(d.c) }

// Close frees what Open made, after Stop.
func (d *Drive) Close() {
	for _, fd := range []int{d.socket, d.wake} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	if d.c != nil {
		C.archibald_netone_free(d.c)
	}
}

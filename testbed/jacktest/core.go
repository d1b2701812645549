package jacktest

/*
#cgo CFLAGS: -std=gnu11 -Wall -Wextra
#cgo LDFLAGS: -ljack
#include <stdlib.h>
#include "fake.h"
*/
import "C"

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// Go's build cache does not see the header of bridge/rt change, which the C files here
// include. This constant does.
const _ = rt.HeaderHash

// Core is a real-time core that plays sample counters and notes what it gets.
// It is never freed: a late process callback must find it.
type Core struct{ engine *C.archibald_engine }

// NewCore returns a core that starts counting at 0.
func NewCore() *Core { return &Core{C.jacktest_new()} }

// Callbacks are what an audio server calls.
func (c *Core) Callbacks() stream.Callbacks {
	return stream.Callbacks{Engine: unsafe.Pointer(c.engine), Playout: C.jacktest_playout(), Capture: C.jacktest_capture(), Socket: -1}
}

// Leader drives a follower: it sends the packets of which each is to be one cycle.
type Leader struct {
	core   *Core
	socket int // the core reads it
	call   net.Conn
}

// NewFollower returns a core whose cycles are driven by packets, or by a timer at the
// nominal pace where no packets come, and what sends these packets.
func NewFollower(t *testing.T, rateHz, periodFrames int) (*Core, *Leader) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		t.Cleanup(func() { _ = unix.Close(socket) })
		err = unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	call, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", address.(*unix.SockaddrInet4).Port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = call.Close() })
	core := NewCore()
	core.engine.follower.socket = C.int(socket)
	core.engine.follower.period_ns = C.int64_t(periodFrames * 1e9 / rateHz)
	return core, &Leader{core, socket, call}
}

// Callbacks are what an audio server calls.
func (l *Leader) Callbacks() stream.Callbacks {
	callbacks := l.core.Callbacks()
	callbacks.Follow, callbacks.Socket = C.jacktest_follow(), l.socket
	return callbacks
}

// Send sends one packet.
func (l *Leader) Send(t *testing.T) {
	t.Helper()
	if _, err := l.call.Write([]byte("a cycle")); err != nil {
		t.Fatal(err)
	}
}

// Followed is what the follow function did so far.
type Followed struct {
	Packets       uint64 // read
	ByPacket      uint64 // cycles that a packet started
	ByTimer       uint64 // cycles that the timer started
	Done, GivenUp uint64 // how they ended
}

// Followed returns the counts.
func (l *Leader) Followed() Followed {
	f := &l.core.engine.follower
	count := func(counter *C.uint64_t) uint64 { return atomic.LoadUint64((*uint64)(unsafe.Pointer(counter))) }
	return Followed{count(&f.packets), count(&f.by_packet), count(&f.by_timer), count(&f.done), count(&f.given_up)}
}

// Stall makes one playout callback sleep, to provoke an xrun.
func (c *Core) Stall(d time.Duration) { C.jacktest_stall(c.engine, C.int64_t(d.Nanoseconds())) }

// Cycle is one callback.
type Cycle struct {
	GraphFrame     uint64
	CycleNs, NowNs int64
	Frames         int
	First, Last    []float32 // outer samples of each channel; sample n of channel c is played as 65536c + n mod 65536
}

// Played returns how many playout callbacks there have been, and the newest
// ones, oldest first, 4096 at most.
func (c *Core) Played() (uint64, []Cycle) { return read(&c.engine.playout) }

// Captured is Played for the capture callback.
func (c *Core) Captured() (uint64, []Cycle) { return read(&c.engine.capture) }

func read(log *C.struct_jacktest_log) (uint64, []Cycle) {
	count := uint64(C.jacktest_count(log))
	var cycles []Cycle
	for i := count - min(count, C.jacktest_cycles/2); i < count; i++ {
		at := log.cycles[i%C.jacktest_cycles]
		cycle := Cycle{
			GraphFrame: uint64(at.graph_frame),
			CycleNs:    int64(at.cycle_ns),
			NowNs:      int64(at.now_ns),
			Frames:     int(at.frames),
		}
		for ch := range int(at.channels) {
			cycle.First = append(cycle.First, float32(at.first[ch]))
			cycle.Last = append(cycle.Last, float32(at.last[ch]))
		}
		cycles = append(cycles, cycle)
	}
	return count, cycles
}

// Through is a JACK client of this process that copies its port in to its port
// out. It must be closed before any Server of this process is reopened.
type Through struct{ client unsafe.Pointer }

// JoinThrough joins server as client name, inactive: its ports are listed and
// cannot be connected.
func JoinThrough(server, name string) (*Through, error) {
	return joinThrough(server, name, 0)
}

func joinThrough(server, name string, delayFrames int) (*Through, error) {
	cServer, cName := C.CString(server), C.CString(name)
	defer C.free(unsafe.Pointer(cServer))
	defer C.free(unsafe.Pointer(cName))
	client := C.jacktest_through(cServer, cName, C.uint32_t(delayFrames))
	if client == nil {
		return nil, fmt.Errorf("jackd %s refuses client %s", server, name)
	}
	return &Through{client}, nil
}

// Activate makes the ports connectable.
func (t *Through) Activate() error {
	if code := C.jacktest_through_activate(t.client); code != 0 {
		return fmt.Errorf("jack_activate: %d", code)
	}
	return nil
}

// OpenThrough is JoinThrough and Activate.
func OpenThrough(server, name string) (*Through, error) {
	return OpenDelay(server, name, 0)
}

// OpenDelay is an active Through that copies a number of frames later.
func OpenDelay(server, name string, frames int) (*Through, error) {
	t, err := joinThrough(server, name, frames)
	if err != nil {
		return nil, err
	}
	if err := t.Activate(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Work makes each callback take that long between reading and writing.
func (t *Through) Work(d time.Duration) {
	C.jacktest_through_work(t.client, C.int64_t(d.Nanoseconds()))
}

// Close leaves the server.
func (t *Through) Close() { C.jacktest_through_close(t.client) }

// Package netone is everything around the thread that drives jackd's netone: the test is netone,
// the graph, the core and the leader.
package netone

/*
#cgo CFLAGS: -std=gnu11 -Wall -Wextra
#include <stdlib.h>
#include "core.h"

static uint64_t ended(archibald_engine *engine) { return atomic_load(&engine->ended); }
static void freewheel(archibald_engine *engine, int on) { atomic_store(&engine->freewheels, on); }
static void call(void *function, void *argument) { ((void (*)(void *))function)(argument); }
*/
import "C"

import (
	"encoding/binary"
	"fmt"
	"net"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio/jack/netone"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// As in the audio backends: Go's build cache does not see the header of bridge/rt change.
const _ = rt.HeaderHash

// RateHz is that of every graph here.
const RateHz = 48000

// words are those of a packet; their places that the tests look at.
const (
	words      = 14
	periodWord = 4
	rateWord   = 5
	syncWord   = 6
	numberWord = 9
	leftWord   = 10
)

// Drive is a running driving thread, with a core that asks for a cycle for each packet
// that it reads.
type Drive struct {
	t      *testing.T
	core   *C.archibald_engine
	drive  *netone.Drive
	netone *net.UDPConn // what the thread drives
	thread net.Addr     // where its packets come from
	leader net.Conn
}

// Core is when the core asks for a cycle.
type Core int

// The cores.
const (
	Led   Core = iota // for each packet
	Paced             // once per period
	Deaf              // never
)

// Start starts the thread.
func Start(t *testing.T, period time.Duration, asks Core) *Drive {
	t.Helper()
	listener, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	media, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(media, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(media)
	if err != nil {
		t.Fatal(err)
	}
	leader, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", address.(*unix.SockaddrInet4).Port))
	if err != nil {
		t.Fatal(err)
	}
	drive, err := netone.Open(listener.LocalAddr().(*net.UDPAddr).Port)
	if err != nil {
		t.Fatal(err)
	}
	core := (*C.archibald_engine)(C.calloc(1, C.sizeof_archibald_engine))
	core.media = C.int(media)
	switch asks {
	case Paced:
		core.pace_ns = C.int64_t(period)
	case Deaf:
		core.deaf = 1
	}
	d := &Drive{t, core, drive, listener, nil, leader}
	callbacks := stream.Callbacks{Engine: unsafe.Pointer(core), Follow: unsafe.Pointer(C.archibald_follow_fn(C.testbed_follow)), Socket: media}
	err = drive.Start(callbacks, netone.Graph{
		RateHz: RateHz, PeriodFrames: int(period * RateHz / time.Second), Priority: 10, Freewheels: unsafe.Pointer(&core.freewheels),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		drive.Stop()
		drive.Close()
		C.free(unsafe.Pointer(core))
		_ = leader.Close()
		_ = unix.Close(media)
	})
	return d
}

// Packet is one of the leader's.
func (d *Drive) Packet() {
	d.t.Helper()
	if _, err := d.leader.Write([]byte("a cycle")); err != nil {
		d.t.Fatal(err)
	}
}

// CycleEnds says that capture has returned.
func (d *Drive) CycleEnds() { C.call(d.drive.Captured()) }

// Freewheel says that the server has left real time, or is back.
func (d *Drive) Freewheel(on bool) { C.freewheel(d.core, C.int(map[bool]int{true: 1}[on])) }

// Thread is the thread's number.
func (d *Drive) Thread() int { return d.drive.Thread() }

// Ended is how many cycles the core was told the end of.
func (d *Drive) Ended() int { return int(C.ended(d.core)) }

// Asked returns the next packet that netone gets, within a time.
func (d *Drive) Asked(within time.Duration) (packet [words]uint32, ok bool) {
	d.t.Helper()
	buffer := make([]byte, 2048)
	_ = d.netone.SetReadDeadline(time.Now().Add(within))
	n, from, err := d.netone.ReadFrom(buffer)
	if err != nil {
		return packet, false
	}
	if n != 4*words {
		d.t.Errorf("a packet of %d bytes, want %d", n, 4*words)
	}
	d.thread = from
	for i := range packet {
		packet[i] = binary.BigEndian.Uint32(buffer[4*i:])
	}
	return packet, true
}

// Answer is netone's to the cycle of that number.
func (d *Drive) Answer(number uint32, left time.Duration) {
	d.t.Helper()
	answer := make([]byte, 4*words)
	for i := range answer {
		answer[i] = 0xa5 // netone leaves what was in memory
	}
	binary.BigEndian.PutUint32(answer[4*numberWord:], number)
	binary.BigEndian.PutUint32(answer[4*leftWord:], uint32(left.Microseconds()))
	if _, err := d.netone.WriteTo(answer, d.thread); err != nil {
		d.t.Fatal(err)
	}
}

package fakecore

/*
#include "fakecore.h"

static void set_follower(archibald_engine *e, int socket, int packets, int64_t period_ns) {
    e->follower.period_ns = period_ns;
    e->follower.packets = packets;
    e->follower.socket = socket;
}
static uint64_t started(archibald_engine *e) { return atomic_load(&e->follower.started); }
static uint64_t unfinished(archibald_engine *e) { return atomic_load(&e->follower.unfinished); }
static uint64_t unasked(archibald_engine *e) { return atomic_load(&e->follower.unasked); }
*/
import "C"

import (
	"encoding/binary"
	"math"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Leader stands for the peer whose packets drive the graph of an Engine.
type Leader struct {
	// Apart is how long after one another the packets of a cycle are sent.
	Apart time.Duration

	e       *Engine
	file    *os.File
	fd      int // the engine's
	packets int
}

// Answer is what the engine sends at the end of a cycle.
type Answer struct {
	Frame            uint64 // of the leader's cycle
	Played, Captured int    // how often each callback was called in the cycle
	First            float64
	Frames           int
}

// Follow makes the engine one that can follow a leader who sends so many packets per cycle. It
// gives a cycle up after three periods, and looks then for what it was not told of. Close the
// Leader after its shim.
func (e *Engine) Follow(period time.Duration, packets int) (*Leader, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	C.set_follower(e.c, C.int(fds[0]), C.int(packets), C.int64_t(period))
	return &Leader{e: e, file: os.NewFile(uintptr(fds[1]), "leader"), fd: fds[0], packets: packets}, nil
}

// Close ends it.
func (l *Leader) Close() {
	C.set_follower(l.e.c, 0, 0, 0)
	_ = l.file.Close()
	_ = unix.Close(l.fd)
}

// Send sends the packets of one cycle.
func (l *Leader) Send(frame uint64) error {
	packet := binary.NativeEndian.AppendUint64(nil, frame)
	began := time.Now()
	for n := range time.Duration(l.packets) {
		for time.Since(began) < n*l.Apart { // no timer is that exact
		}
		if _, err := l.file.Write(packet); err != nil {
			return err
		}
	}
	return nil
}

// Answer waits for the next answer; false: none came.
func (l *Leader) Answer(within time.Duration) (Answer, bool) {
	var datagram [unsafe.Sizeof(C.struct_fake_answer{})]byte
	_ = l.file.SetReadDeadline(time.Now().Add(within))
	if n, err := l.file.Read(datagram[:]); err != nil || n != len(datagram) {
		return Answer{}, false
	}
	word := binary.NativeEndian
	return Answer{word.Uint64(datagram[0:]), int(word.Uint64(datagram[8:])), int(word.Uint64(datagram[16:])),
		float64(math.Float32frombits(word.Uint32(datagram[24:]))), int(word.Uint32(datagram[28:]))}, true
}

// Started is how many cycles the engine has started.
func (l *Leader) Started() int { return int(C.started(l.e.c)) }

// Unfinished is how many of them it gave up.
func (l *Leader) Unfinished() int { return int(C.unfinished(l.e.c)) }

// Unasked is how many cycles ran that it did not start.
func (l *Leader) Unasked() int { return int(C.unasked(l.e.c)) }

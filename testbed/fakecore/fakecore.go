// Package fakecore is a stand-in for the real-time core in tests of the audio
// server shims: C functions that play tones or a frame counter and keep what
// they are handed, with a Go face to look at it while the server runs.
package fakecore

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -I${SRCDIR}/../../bridge/rt
#cgo LDFLAGS: -lm
#include <stdlib.h>
#include "fakecore.h"

static uint64_t log_count(struct fake_log *log) { return atomic_load(&log->count); }
static uint64_t sample_count(archibald_engine *e) { return atomic_load(&e->sample_count); }
static void set_voice(archibald_engine *e, int voice) { atomic_store(&e->voice, voice); }
static void stall(archibald_engine *e, int ms) { atomic_store(&e->stall_ms, ms); }
static void set_follow(archibald_engine *e, int socket, uint32_t rate_hz, uint32_t period_frames) {
    atomic_store(&e->socket, socket);
    atomic_store(&e->rate_hz, rate_hz);
    atomic_store(&e->period_frames, period_frames);
}
static int fake_socket(archibald_engine *e) { return atomic_load(&e->socket); }
static uint64_t follow_calls(archibald_engine *e) { return atomic_load(&e->follow_calls); }
static uint64_t led(archibald_engine *e) { return atomic_load(&e->led); }
static uint64_t timed(archibald_engine *e) { return atomic_load(&e->timed); }
static void set_tone(archibald_engine *e, int channel, float hz) { atomic_store(&e->tone_hz[channel], hz); }
*/
import "C"

import (
	"unsafe"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// As in the audio backends: the header is bridge/rt's, and Go's build cache does not see it
// change.
const _ = rt.HeaderHash

// Amplitude is the peak of every tone, linear.
const Amplitude = float64(C.FAKE_AMPLITUDE)

// CounterPeriod is the number of frames after which PlayCounter's ramp restarts.
const CounterPeriod = int(C.FAKE_COUNTER_PERIOD)

// Cycle is one call of a callback.
type Cycle struct {
	GraphFrame  uint64
	CycleNs     int64 // playout only
	NowNs       int64
	Frames      int
	Channels    int
	First       float64 // first sample of channel 0
	SignalsOpen bool    // a Go signal handler could run on the thread
}

// Engine is one fake core.
type Engine struct{ c *C.archibald_engine }

// New returns a silent engine. Free it after its shim is closed.
func New() *Engine {
	e := &Engine{(*C.archibald_engine)(C.calloc(1, C.sizeof_archibald_engine))}
	e.FollowSocket(-1, 48000, 64)
	return e
}

// FollowSocket makes each datagram that comes in at a UDP socket start a cycle of periodFrames at
// rateHz. Before Callbacks; -1: cycles come by the timer only.
func (e *Engine) FollowSocket(socket, rateHz, periodFrames int) {
	C.set_follow(e.c, C.int(socket), C.uint32_t(rateHz), C.uint32_t(periodFrames))
}

// Followed is how often the follow function was called, and how many cycles it started because
// of a datagram and by its timer.
func (e *Engine) Followed() (calls, led, timed uint64) {
	return uint64(C.follow_calls(e.c)), uint64(C.led(e.c)), uint64(C.timed(e.c))
}

// Free gives the memory back.
func (e *Engine) Free() { C.free(unsafe.Pointer(e.c)) }

// Callbacks are what an audio server calls.
func (e *Engine) Callbacks() stream.Callbacks {
	return stream.Callbacks{
		Engine:  unsafe.Pointer(e.c),
		Playout: unsafe.Pointer(C.archibald_playout_fn(C.fake_playout)),
		Capture: unsafe.Pointer(C.archibald_capture_fn(C.fake_capture)),
		Follow:  unsafe.Pointer(C.archibald_follow_fn(C.fake_follow)),
		Socket:  int(C.fake_socket(e.c)),
	}
}

// PlayTones plays one tone per channel, in Hz at 48 kHz.
func (e *Engine) PlayTones(hz ...float64) {
	for channel, value := range hz {
		C.set_tone(e.c, C.int(channel), C.float(value))
	}
	C.set_voice(e.c, C.fake_tones)
}

// PlayCounter plays, on every channel, the graph's frame number modulo
// CounterPeriod, divided by it.
func (e *Engine) PlayCounter() { C.set_voice(e.c, C.fake_counter) }

// Stall makes the next playout call sleep, 1 to 999 ms, as a core never may.
func (e *Engine) Stall(ms int) { C.stall(e.c, C.int(ms)) }

// Played returns how often playout was called and the latest calls, at most n
// and at most half of what is kept, oldest first.
func (e *Engine) Played(n int) (uint64, []Cycle) { return read(&e.c.played, n) }

// CaptureCalls is the same for capture.
func (e *Engine) CaptureCalls(n int) (uint64, []Cycle) { return read(&e.c.captured, n) }

func read(log *C.struct_fake_log, n int) (uint64, []Cycle) {
	count := uint64(C.log_count(log))
	n = int(min(uint64(n), count, C.fake_cycles/2))
	cycles := make([]Cycle, n)
	for i := range cycles {
		c := &log.cycles[(count-uint64(n-i))%C.fake_cycles]
		cycles[i] = Cycle{uint64(c.graph_frame), int64(c.cycle_ns), int64(c.now_ns), int(c.frames),
			int(c.channels), float64(c.first), c.signals_open != 0}
	}
	return count, cycles
}

// Captured returns the latest frames of one channel, at most n and at most half
// of what is kept, oldest first.
func (e *Engine) Captured(channel, n int) []float64 {
	count := uint64(C.sample_count(e.c))
	n = int(min(uint64(n), count, C.fake_samples/2))
	samples := make([]float64, n)
	for i := range samples {
		samples[i] = float64(e.c.samples[channel][(count-uint64(n-i))%C.fake_samples])
	}
	return samples
}

package main

/*
#cgo CFLAGS: -O2 -std=gnu11 -Wall -Wextra
#cgo LDFLAGS: -ljack -lm
#include <stdlib.h>
#include "probe.h"
*/
import "C"

import (
	"errors"
	"unsafe"

	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/wav"
)

// client is the Go face of probe.c.
type client struct{ c *C.struct_probe }

func open(o options) (*client, error) {
	var outputs [maxPorts]C.struct_probe_output
	for i, out := range o.outputs {
		signal := uint32(C.probe_tone)
		if out.noise {
			signal = C.probe_noise_l24
		}
		if out.noise && out.float {
			signal = C.probe_noise_f32
		}
		outputs[i] = C.struct_probe_output{
			signal:    signal,
			hz:        C.double(out.hz),
			amplitude: C.double(out.amplitude),
			seed:      C.uint64_t(out.seed),
		}
	}
	name := C.CString(o.name)
	defer C.free(unsafe.Pointer(name))
	var server *C.char
	if o.server != "" {
		server = C.CString(o.server)
		defer C.free(unsafe.Pointer(server))
	}
	opened := C.probe_open(name, server, &outputs[0], C.int(len(o.outputs)), C.int(o.inputs), C.double(o.duration.Seconds()))
	if opened == nil {
		return nil, errors.New(C.GoString(C.probe_error()))
	}
	return &client{opened}, nil
}

func (c *client) activate() error {
	if C.probe_activate(c.c) != 0 {
		return errors.New("the JACK server did not activate the client")
	}
	return nil
}

// connect says whether the connection stands; it asks for one that does not.
func (c *client) connect(from, to string) bool {
	cFrom, cTo := C.CString(from), C.CString(to)
	defer C.free(unsafe.Pointer(cFrom))
	defer C.free(unsafe.Pointer(cTo))
	return C.probe_connect(c.c, cFrom, cTo) == 1
}

func (c *client) record()          { C.probe_record(c.c) }
func (c *client) rateHz() int      { return int(C.probe_rate(c.c)) }
func (c *client) recorded() uint64 { return uint64(C.probe_recorded(c.c)) }
func (c *client) serverLost() bool { return C.probe_server_lost(c.c) == 1 }
func (c *client) close()           { C.probe_close(c.c) }

// finish ends the recording and returns it.
func (c *client) finish(inputs int) *recording.Recording {
	C.probe_deactivate(c.c)
	frames := c.recorded()
	r := &recording.Recording{
		RateHz:     c.rateHz(),
		Xruns:      int(C.probe_xruns(c.c)),
		ServerLost: c.serverLost(),
		Sound:      wav.Audio{RateHz: c.rateHz()},
	}
	for i := range inputs {
		samples := (*float32)(unsafe.Pointer(C.probe_input(c.c, C.int(i))))
		r.Sound.Channels = append(r.Sound.Channels, unsafe.Slice(samples, frames))
	}
	var count C.uint64_t
	cycles := C.probe_cycles(c.c, &count)
	for _, cycle := range unsafe.Slice(cycles, count) {
		r.Cycles = append(r.Cycles, recording.Cycle{
			FrameTime:   uint32(cycle.frame_time),
			MonotonicNs: int64(cycle.monotonic_ns),
			Frames:      uint32(cycle.frames),
			LostFrames:  uint32(cycle.lost_frames),
		})
	}
	return r
}

// Package rttest runs the core's callbacks from a test as an audio server does:
// through the function pointers of archibald_rt.h, from any thread. Tests of
// bridge/rt itself may not use cgo, and Virtual has no socket.
package rttest

/*
#include "../../bridge/rt/archibald_rt.h"

static void call_playout(void *callback, void *engine, float *plane, uint32_t channels,
                         uint32_t frames, uint64_t graph_frame, int64_t cycle_ns, int64_t now_ns) {
    float *out[64];
    for (uint32_t c = 0; c < channels; c++) out[c] = plane + (uint64_t)c * frames;
    ((archibald_playout_fn)callback)(engine, out, channels, frames, graph_frame, cycle_ns, now_ns);
}

static void call_capture(void *callback, void *engine, const float *plane, uint32_t channels,
                         uint32_t frames, uint64_t graph_frame, int64_t now_ns) {
    const float *in[64];
    for (uint32_t c = 0; c < channels; c++) in[c] = plane + (uint64_t)c * frames;
    ((archibald_capture_fn)callback)(engine, in, channels, frames, graph_frame, now_ns);
}

static int call_follow(void *callback, void *engine, int why, int64_t now_ns, int64_t *wake_ns) {
    return ((archibald_follow_fn)callback)(engine, (enum archibald_follow_why)why, now_ns, wake_ns);
}
*/
import "C"

import (
	"unsafe"

	"archibald-bridge/bridge/rt"
)

// HeaderHash is the header that this package was compiled with.
const HeaderHash = rt.HeaderHash

// Playout runs one playout cycle. plane holds channels runs of frames samples
// (channels 0 to 64) and is filled.
func Playout(e *rt.Engine, plane []float32, channels, frames int, graphFrame uint64, cycleNs, nowNs int64) {
	core := e.Callbacks()
	C.call_playout(core.Playout, core.Engine, (*C.float)(unsafe.SliceData(plane)), C.uint32_t(channels),
		C.uint32_t(frames), C.uint64_t(graphFrame), C.int64_t(cycleNs), C.int64_t(nowNs))
}

// Capture runs one capture cycle; plane as for Playout, only read.
func Capture(e *rt.Engine, plane []float32, channels, frames int, graphFrame uint64, nowNs int64) {
	core := e.Callbacks()
	C.call_capture(core.Capture, core.Engine, (*C.float)(unsafe.SliceData(plane)), C.uint32_t(channels),
		C.uint32_t(frames), C.uint64_t(graphFrame), C.int64_t(nowNs))
}

// Follow calls the follow function: why is an archibald_follow_why.
func Follow(e *rt.Engine, why rt.FollowWhy, nowNs int64) (start bool, wakeNs int64) {
	core := e.Callbacks()
	var wake C.int64_t
	started := C.call_follow(core.Follow, core.Engine, C.int(why), C.int64_t(nowNs), &wake)
	return started != 0, int64(wake)
}

package rt

/*
#include "core.h"

// planes: channels of window_frames, from the resampler's first tap on.
static void resample_planes(const resampler *table, const float *planes, uint32_t window_frames,
                            uint32_t channels, double fraction, double ratio, float *out_planes,
                            uint32_t frames) {
    const float *in[MAX_CHANNELS];
    float *out[MAX_CHANNELS];
    for (uint32_t c = 0; c < channels; c++) {
        in[c] = planes + (size_t)c * window_frames;
        out[c] = out_planes + (size_t)c * frames;
    }
    archibald_resampler_run(table, in, channels, fraction, ratio, out, frames);
}
*/
import "C"

// resampler is the core's by itself, for tests and benchmarks, which cannot use cgo
// themselves.
type resampler struct{ table *C.resampler }

// newResampler makes one for a stream of one rate in a graph of another.
func newResampler(streamHz, graphHz int) resampler {
	return resampler{C.archibald_resampler_new(C.uint32_t(streamHz), C.uint32_t(graphHz))}
}

func (r resampler) free() { C.archibald_resampler_free(r.table) }

// taps are those of each phase, lookahead and lookbehind how many of them are on either
// side of the position.
func (r resampler) taps() int       { return int(r.table.taps) }
func (r resampler) lookahead() int  { return int(r.table.lookahead) }
func (r resampler) lookbehind() int { return int(r.table.lookbehind) }

// run makes frames outputs of each channel into out, from the position lookbehind+fraction
// of in on. Both hold one channel after the other.
func (r resampler) run(in []float32, channels int, fraction, ratio float64, out []float32, frames int) {
	C.resample_planes(r.table, (*C.float)(&in[0]), C.uint32_t(len(in)/channels), C.uint32_t(channels),
		C.double(fraction), C.double(ratio), (*C.float)(&out[0]), C.uint32_t(frames))
}

// The taps per phase between equal rates, and how many of them lie before the position.
const (
	taps             = int(C.TAPS)
	lookbehindFrames = taps - 1 - LookaheadFrames
)

// resample is run of the resampler between equal rates.
func (v *Virtual) resample(in []float32, channels int, fraction, ratio float64, out []float32, frames int) {
	resampler{v.c.table}.run(in, channels, fraction, ratio, out, frames)
}

// makeTable is the resampler's set-up, for a benchmark.
func (v *Virtual) makeTable() { C.archibald_resampler_init(v.c.table) }

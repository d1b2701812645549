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

// The resampler's taps per phase, and how many of them lie before its position.
const (
	taps             = int(C.TAPS)
	lookbehindFrames = int(C.LOOKBEHIND)
)

// resample runs the resampler by itself, for tests and benchmarks, which cannot use cgo
// themselves: frames outputs of each channel into out, from the position
// lookbehindFrames+fraction of in on. Both hold one channel after the other.
func (v *Virtual) resample(in []float32, channels int, fraction, ratio float64, out []float32, frames int) {
	C.resample_planes(&v.c.table, (*C.float)(&in[0]), C.uint32_t(len(in)/channels), C.uint32_t(channels),
		C.double(fraction), C.double(ratio), (*C.float)(&out[0]), C.uint32_t(frames))
}

// makeTable is the resampler's set-up, for a benchmark.
func (v *Virtual) makeTable() { C.archibald_resampler_init(&v.c.table) }

package endtoend

import (
	"math"
	"path/filepath"
	"testing"

	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/wav"
)

// tone is a recording of a second of a tone, in cycles of 64 frames, with holes of 100 frames.
func tone(t *testing.T, hz float64, holes ...int) *recording.Recording {
	t.Helper()
	const rateHz, period, cycles = 48000, 64, 750
	samples := make([]float32, cycles*period)
	for i := range samples {
		samples[i] = float32(0.25 * math.Sin(2*math.Pi*hz*float64(i)/rateHz))
	}
	for _, hole := range holes {
		clear(samples[hole : hole+100])
	}
	r := &recording.Recording{Sound: wav.Audio{RateHz: rateHz, Channels: [][]float32{samples}}, RateHz: rateHz}
	for k := range cycles {
		r.Cycles = append(r.Cycles, recording.Cycle{FrameTime: uint32(k * period), MonotonicNs: int64(k) * period * 1e9 / rateHz, Frames: period})
	}
	file := filepath.Join(t.TempDir(), "tone")
	if err := r.Write(file); err != nil {
		t.Fatal(err)
	}
	r, err := recording.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestANoteWithGapsHasItsPitchAndSaysHowMany(t *testing.T) {
	for want, holes := range map[string][]int{
		" 440.00 Hz -12.04 dBFS":         nil,
		" 440.00 Hz -12.04 dBFS, 1 gap":  {20000},
		" 440.00 Hz -12.04 dBFS, 2 gaps": {18000, 24000},
	} {
		a, err := measureAt(tone(t, 440, holes...), 0, 0, 440)
		if err != nil || a.Gaps != len(holes) || a.String() != want {
			t.Errorf("%v: %q, %v, want %q", holes, a, err, want)
		}
	}
}

package main

import (
	"math"
	"path/filepath"
	"testing"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/wav"
)

func tone(seconds int, hz float64) []float32 {
	samples := make([]float32, seconds*rateHz)
	for i := range samples {
		samples[i] = float32(0.2512 * math.Sin(2*math.Pi*hz*float64(i)/rateHz)) // -12 dBFS
	}
	return samples
}

// recorded is a recording of cycles of 64 frames by a server that is ppm fast.
func recorded(t *testing.T, ppm float64, channels ...[]float32) *recording.Recording {
	t.Helper()
	r := &recording.Recording{RateHz: rateHz, Sound: wav.Audio{RateHz: rateHz, Channels: channels}}
	for frame := 0; frame < len(channels[0]); frame += 64 {
		ns := int64(float64(frame) * 1e9 / rateHz / (1 + ppm*1e-6))
		r.Cycles = append(r.Cycles, recording.Cycle{FrameTime: uint32(frame), Frames: 64, MonotonicNs: ns})
	}
	prefix := filepath.Join(t.TempDir(), "r")
	if err := r.Write(prefix); err != nil {
		t.Fatal(err)
	}
	r, err := recording.Read(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func aRun() results.Run {
	return results.Run{RateHz: rateHz, Seconds: 6, RoundTripFrames: []float64{900, 190, 191}}
}

// A second of silence from the seventh on, in the looped tone.
func muted() []float32 { return signal.PlantZeros(tone(10, loopedHz), 7*rateHz, rateHz) }

func TestAWholeToneHasNoGapAndTheSkewIsSeen(t *testing.T) {
	r := aRun()
	if err := judge(&r, recorded(t, 0, tone(10, loopedHz), tone(10, witnessHz)), recorded(t, -500, tone(10, witnessHz))); err != nil {
		t.Fatal(err)
	}
	if r.SoundShare != 1 || r.Gaps != 0 || r.WitnessGapsGuest != 0 || r.WitnessGapsHost != 0 || math.Abs(r.SkewMeasuredPPM+500) > 1 {
		t.Errorf("%+v", r)
	}
}

func TestAGapWithoutAWitnessIsTheBridges(t *testing.T) {
	r := aRun()
	if err := judge(&r, recorded(t, 0, muted(), tone(10, witnessHz)), recorded(t, 0, tone(10, witnessHz))); err != nil {
		t.Fatal(err)
	}
	if r.Gaps != 1 || r.CausedGaps != 1 || math.Abs(r.SoundShare-5.0/6) > 0.01 {
		t.Errorf("%+v", r)
	}
}

func TestAServerThatFailsExcusesTheGapThatFollows(t *testing.T) {
	failed := signal.PlantZeros(tone(10, witnessHz), 7*rateHz-100, 64)
	for name, test := range map[string]struct {
		guest, host     []float32
		slaved          bool
		caused          int
		onGuest, onHost int
	}{
		"the guest's":                        {failed, tone(10, witnessHz), false, 0, 1, 0},
		"the host's":                         {tone(10, witnessHz), failed, false, 0, 0, 1},
		"the guest's, which the host drives": {failed, tone(10, witnessHz), true, 1, 1, 0},
		"the driving host's":                 {tone(10, witnessHz), failed, true, 0, 0, 1},
	} {
		r := aRun()
		r.Slaved = test.slaved
		if err := judge(&r, recorded(t, 0, muted(), test.guest), recorded(t, 0, test.host)); err != nil {
			t.Fatal(err)
		}
		if r.Gaps != 1 || r.CausedGaps != test.caused || r.WitnessGapsGuest != test.onGuest || r.WitnessGapsHost != test.onHost {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestAGapWhileTheBridgeSettlesDoesNotCount(t *testing.T) {
	r := aRun()
	looped := signal.PlantZeros(tone(10, loopedHz), rateHz, rateHz)
	early := signal.PlantZeros(tone(10, witnessHz), 2*rateHz, 64)
	if err := judge(&r, recorded(t, 0, looped, early), recorded(t, 0, tone(10, witnessHz))); err != nil {
		t.Fatal(err)
	}
	if r.Gaps != 0 || r.WitnessGapsGuest != 0 || r.SoundShare != 1 {
		t.Errorf("%+v", r)
	}
}

func TestASlavedGuestsServerDoesNotHideTheHostsSkew(t *testing.T) {
	r := aRun()
	r.Slaved = true
	if err := judge(&r, recorded(t, 100, tone(10, loopedHz), tone(10, witnessHz)), recorded(t, 100, tone(10, witnessHz))); err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.SkewMeasuredPPM-100) > 1 {
		t.Errorf("%+.2f ppm", r.SkewMeasuredPPM)
	}
}

func TestARunWithoutSoundOrTooShortFails(t *testing.T) {
	silent := make([]float32, 10*rateHz)
	for name, looped := range map[string][]float32{"silent": silent, "short": tone(5, loopedHz)} {
		r := aRun()
		witness := tone(len(looped)/rateHz, witnessHz)
		if err := judge(&r, recorded(t, 0, looped, witness), recorded(t, 0, witness)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

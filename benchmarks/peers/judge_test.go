package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/recording"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stalls"
	"archibald-bridge/testbed/wav"
)

const testRateHz = 48000

func both(guest, host *recording.Recording) recordings { return recordings{guest: guest, host: host} }

func tone(seconds int, hz float64) []float32 {
	samples := make([]float32, seconds*testRateHz)
	for i := range samples {
		samples[i] = float32(0.2512 * math.Sin(2*math.Pi*hz*float64(i)/testRateHz)) // -12 dBFS
	}
	return samples
}

// recorded is a recording of cycles of 64 frames by a server that is ppm fast.
func recorded(t *testing.T, ppm float64, channels ...[]float32) *recording.Recording {
	t.Helper()
	r := &recording.Recording{RateHz: testRateHz, Sound: wav.Audio{RateHz: testRateHz, Channels: channels}}
	for frame := 0; frame < len(channels[0]); frame += 64 {
		ns := int64(float64(frame) * 1e9 / testRateHz / (1 + ppm*1e-6))
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
	return results.Run{PeriodFrames: 64, RateHz: testRateHz, Seconds: 6, RoundTripFrames: []float64{900, 190, 191}}
}

// A second of silence from the seventh on, in the looped tone.
func muted() []float32 { return signal.PlantZeros(tone(10, loopedHz), 7*testRateHz, testRateHz) }

func TestAWholeToneHasNoGapAndTheSkewIsSeen(t *testing.T) {
	r := aRun()
	if err := judge(&r, both(recorded(t, 0, tone(10, loopedHz), tone(10, witnessHz)), recorded(t, -500, tone(10, witnessHz)))); err != nil {
		t.Fatal(err)
	}
	if r.SoundShare != 1 || r.Gaps != 0 || r.WitnessGapsGuest != 0 || r.WitnessGapsHost != 0 || math.Abs(r.SkewMeasuredPPM+500) > 1 {
		t.Errorf("%+v", r)
	}
}

func TestAGapWithoutAWitnessIsTheBridges(t *testing.T) {
	r := aRun()
	if err := judge(&r, both(recorded(t, 0, muted(), tone(10, witnessHz)), recorded(t, 0, tone(10, witnessHz)))); err != nil {
		t.Fatal(err)
	}
	if r.Gaps != 1 || r.CausedGaps != 1 || math.Abs(r.SoundShare-5.0/6) > 0.01 {
		t.Errorf("%+v", r)
	}
}

func TestAServerThatFailsExcusesTheGapThatFollows(t *testing.T) {
	failed := signal.PlantZeros(tone(10, witnessHz), 7*testRateHz-100, 64)
	for name, test := range map[string]struct {
		guest, host         []float32
		slaved, hostFollows bool
		caused              int
		onGuest, onHost     int
	}{
		"the guest's":                        {failed, tone(10, witnessHz), false, false, 0, 1, 0},
		"the host's":                         {tone(10, witnessHz), failed, false, false, 0, 0, 1},
		"the guest's, which the host drives": {failed, tone(10, witnessHz), true, false, 1, 1, 0},
		"the driving host's":                 {tone(10, witnessHz), failed, true, false, 0, 0, 1},
		"the host's, which the guest drives": {tone(10, witnessHz), failed, true, true, 1, 0, 1},
		"the driving guest's":                {failed, tone(10, witnessHz), true, true, 0, 1, 0},
	} {
		r := aRun()
		r.Slaved, r.HostFollows = test.slaved, test.hostFollows
		if err := judge(&r, both(recorded(t, 0, muted(), test.guest), recorded(t, 0, test.host))); err != nil {
			t.Fatal(err)
		}
		if r.Gaps != 1 || r.CausedGaps != test.caused || r.WitnessGapsGuest != test.onGuest || r.WitnessGapsHost != test.onHost {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestAGapWhileTheBridgeSettlesDoesNotCount(t *testing.T) {
	r := aRun()
	looped := signal.PlantZeros(tone(10, loopedHz), testRateHz, testRateHz)
	early := signal.PlantZeros(tone(10, witnessHz), 2*testRateHz, 64)
	if err := judge(&r, both(recorded(t, 0, looped, early), recorded(t, 0, tone(10, witnessHz)))); err != nil {
		t.Fatal(err)
	}
	if r.Gaps != 0 || r.WitnessGapsGuest != 0 || r.SoundShare != 1 {
		t.Errorf("%+v", r)
	}
}

func TestASlavedGuestsServerDoesNotHideTheHostsSkew(t *testing.T) {
	r := aRun()
	r.Slaved = true
	if err := judge(&r, both(recorded(t, 100, tone(10, loopedHz), tone(10, witnessHz)), recorded(t, 100, tone(10, witnessHz)))); err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.SkewMeasuredPPM-100) > 1 {
		t.Errorf("%+.2f ppm", r.SkewMeasuredPPM)
	}
}

func TestARunWithoutSoundOrTooShortFails(t *testing.T) {
	silent := make([]float32, 10*testRateHz)
	for name, looped := range map[string][]float32{"silent": silent, "short": tone(5, loopedHz)} {
		r := aRun()
		witness := tone(len(looped)/testRateHz, witnessHz)
		if err := judge(&r, both(recorded(t, 0, looped, witness), recorded(t, 0, witness))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Both machines of a run have the same processors.
func TestAGapAtWhichAProcessorStoodStillIsListedApart(t *testing.T) {
	const at = 7e9 // when the looped tone stops: cycles of the recording begin at 0
	for name, test := range map[string]struct {
		stall          stalls.Stall
		caused, atStop int
	}{
		"right before it":                      {stalls.Stall{TimeNs: at - 3e6, Length: 2 * time.Millisecond}, 0, 1},
		"long, and ends right before it":       {stalls.Stall{TimeNs: at - 50e6, Length: 45 * time.Millisecond}, 0, 1},
		"too short for a graph to notice":      {stalls.Stall{TimeNs: at - 3e6, Length: 600 * time.Microsecond}, 1, 0},
		"a tenth of a second before it":        {stalls.Stall{TimeNs: at - 100e6, Length: 2 * time.Millisecond}, 1, 0},
		"after the sound was gone for a while": {stalls.Stall{TimeNs: at + 40e6, Length: 2 * time.Millisecond}, 1, 0},
	} {
		r := aRun()
		heard := both(recorded(t, 0, muted(), tone(10, witnessHz)), recorded(t, 0, tone(10, witnessHz)))
		heard.stood = []stalls.Stall{test.stall}
		if err := judge(&r, heard); err != nil {
			t.Fatal(err)
		}
		if r.Gaps != 1 || r.CausedGaps != test.caused || r.Stalls.Gaps != test.atStop {
			t.Errorf("%s: %d gaps, %d caused, %d at a stall", name, r.Gaps, r.CausedGaps, r.Stalls.Gaps)
		}
		if r.Stalls.TimeShare > 0.02 {
			t.Errorf("%s: one stall excuses %.1f %% of the time", name, 100*r.Stalls.TimeShare)
		}
	}
}

func TestAWitnessExcusesBeforeAStallDoes(t *testing.T) {
	r := aRun()
	failed := signal.PlantZeros(tone(10, witnessHz), 7*testRateHz-100, 64)
	heard := both(recorded(t, 0, muted(), failed), recorded(t, 0, tone(10, witnessHz)))
	heard.stood = []stalls.Stall{{TimeNs: 7e9, Length: 2 * time.Millisecond}}
	if err := judge(&r, heard); err != nil {
		t.Fatal(err)
	}
	if r.CausedGaps != 0 || r.Stalls.Gaps != 0 || r.Stalls.Count != 1 {
		t.Errorf("%d caused, %+v", r.CausedGaps, *r.Stalls)
	}
}

func TestAWitnessThatIsNotHeardIsNone(t *testing.T) {
	silent := make([]float32, 10*testRateHz)
	for where, heard := range map[string]recordings{
		"guest": both(recorded(t, 0, tone(10, loopedHz), silent), recorded(t, 0, tone(10, witnessHz))),
		"host":  both(recorded(t, 0, tone(10, loopedHz), tone(10, witnessHz)), recorded(t, 0, silent)),
	} {
		r := aRun()
		if err := judge(&r, heard); err == nil || !strings.Contains(err.Error(), "the witness on the "+where) {
			t.Errorf("%s: %v", where, err)
		}
	}
}

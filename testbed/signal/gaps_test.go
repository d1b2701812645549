package signal

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

// tones are what the stack tests play.
var tones = []float64{330, 441, 523.251, 661, 927.05, 1000}

// path is what lies between the fault and the recorder.
type path struct {
	name string
	pass func([]float32) []float32
}

func paths(phase float64) []path {
	return []path{
		{"L24", func(x []float32) []float32 { return x }},
		{"resampler at 200 ppm", func(x []float32) []float32 { return resample(x, func(int) float64 { return 200 }) }},
		{"resampler wandering by 500 ppm", func(x []float32) []float32 { return resample(x, wandering(500, 10, phase)) }},
		{"resampler wandering fast", func(x []float32) []float32 { return resample(x, wandering(100, 1, phase)) }},
	}
}

func TestCleanTonesHaveNoGaps(t *testing.T) {
	random := newRandom(3)
	for _, hz := range tones {
		for _, p := range paths(random.Float64() * 7) {
			samples := p.pass(sine(3*rateHz, hz, -12, random.Float64()*7))
			if gaps := Gaps(samples, rateHz, hz); len(gaps) != 0 {
				t.Errorf("%s, %.0f Hz: %d gaps, first %+v", p.name, hz, len(gaps), gaps[0])
			}
		}
	}
}

func TestCleanTonesOfOtherLevelsAndLimits(t *testing.T) {
	for _, hz := range []float64{200, 441, 4000} {
		for _, level := range []float64{-50, -30, -12, 0} {
			for _, ppm := range []float64{-200, 200} {
				samples := resample(sine(2*rateHz, hz, level, 1), func(int) float64 { return ppm })
				if gaps := Gaps(samples, rateHz, hz); len(gaps) != 0 {
					t.Errorf("%.0f Hz %.0f dBFS %+.0f ppm: %d gaps, first %+v", hz, level, ppm, len(gaps), gaps[0])
				}
			}
		}
	}
}

func TestASixteenBitPathHasNoGaps(t *testing.T) {
	samples := sine(2*rateHz, 441, -12, 0)
	for i, x := range samples {
		samples[i] = float32(math.Round(float64(x)*(1<<15)) / (1 << 15))
	}
	if gaps := Gaps(samples, rateHz, 441); len(gaps) != 0 {
		t.Errorf("%d gaps, first %+v", len(gaps), gaps[0])
	}
	if gaps := Gaps(PlantLoss(samples, 40000, 1), rateHz, 441); len(gaps) != 1 {
		t.Errorf("one frame lost: %+v", gaps)
	}
}

// oneFault passes a tone with one fault at a random place through every path
// and hands the single gap found, which must be near the fault, to check.
func oneFault(t *testing.T, name string, near int, plant func(x []float32, at int) []float32, check func(gap Gap, hz float64) string) {
	t.Helper()
	random := newRandom(4)
	const frames = 12000
	for trial := range 12 {
		hz := tones[trial%len(tones)]
		for _, p := range paths(random.Float64() * 7) {
			at := 4000 + random.IntN(frames-8000)
			samples := p.pass(plant(sine(frames, hz, -12, random.Float64()*7), at))
			gaps := Gaps(samples, rateHz, hz)
			what := fmt.Sprintf("%s at %d, %.0f Hz, %s", name, at, hz, p.name)
			if len(gaps) != 1 {
				t.Errorf("%s: %d gaps: %+v", what, len(gaps), gaps)
				continue
			}
			// The filter delays by 11 frames, 500 ppm by 6 over this length.
			if d := gaps[0].StartFrame + 11 - at; d < -near || d > near {
				t.Errorf("%s: found at %d", what, gaps[0].StartFrame)
			}
			if problem := check(gaps[0], hz); problem != "" {
				t.Errorf("%s: %s: %+v", what, problem, gaps[0])
			}
		}
	}
}

// sized expects a kind and a size modulo one cycle of the tone.
func sized(kind Kind, frames float64) func(Gap, float64) string {
	return func(gap Gap, hz float64) string {
		if off := math.Remainder(gap.SizeFrames-frames, rateHz/hz); math.Abs(off) > 0.15 {
			return fmt.Sprintf("size off by %.2f frames", off)
		}
		if gap.Kind != kind {
			return "want " + kind.String()
		}
		return ""
	}
}

func TestOneFrameLost(t *testing.T) {
	oneFault(t, "one frame lost", 24, func(x []float32, at int) []float32 { return PlantLoss(x, at, 1) }, sized(Missing, 1))
}

func TestOneFrameRepeated(t *testing.T) {
	oneFault(t, "one frame repeated", 24, func(x []float32, at int) []float32 { return PlantRepeat(x, at, 1) }, sized(Repeated, -1))
}

func TestOneSampleZeroed(t *testing.T) {
	plant := func(x []float32, at int) []float32 {
		// A sample that is nearly zero anyway is no fault.
		for math.Abs(float64(x[at])) < 0.01 {
			at++
		}
		return PlantZeros(x, at, 1)
	}
	oneFault(t, "one sample zeroed", 24, plant, sized(Click, 0))
}

func TestAPeriodLost(t *testing.T) {
	for _, period := range []int{16, 23} { // below half a cycle of every tone here
		oneFault(t, "a period lost", 24, func(x []float32, at int) []float32 { return PlantLoss(x, at, period) }, sized(Missing, float64(period)))
		oneFault(t, "a period repeated", 24, func(x []float32, at int) []float32 { return PlantRepeat(x, at, period) }, sized(Repeated, -float64(period)))
	}
}

func TestAGapHiddenByAFade(t *testing.T) {
	for _, fade := range []int{8, 64, 240} {
		oneFault(t, "32 frames faded out and in", fade+80, func(x []float32, at int) []float32 { return PlantFade(x, at, 32, fade) }, sized(Silence, 0))
	}
}

func TestAPeriodOfZeros(t *testing.T) {
	for _, period := range []int{32, 1024} {
		oneFault(t, "a period of zeros", 64, func(x []float32, at int) []float32 { return PlantZeros(x, at, period) }, sized(Silence, 0))
	}
}

func TestALossHiddenByACrossFade(t *testing.T) {
	for _, lost := range []int{1, 20} {
		for _, fade := range []int{16, 64, 256} {
			oneFault(t, fmt.Sprintf("%d frames lost in a cross-fade of %d", lost, fade), 250,
				func(x []float32, at int) []float32 { return PlantSmoothLoss(x, at, lost, fade) },
				func(gap Gap, hz float64) string {
					if off := math.Remainder(gap.SizeFrames-float64(lost), rateHz/hz); math.Abs(off) > 0.4 {
						return fmt.Sprintf("size off by %.2f frames", off)
					}
					return ""
				})
		}
	}
}

func TestASlightDipOfTheLevel(t *testing.T) {
	dip := func(x []float32, at int) []float32 {
		out := append([]float32{}, x...)
		for i := range 512 {
			out[at+i] *= 1 - 0.2*float32(math.Sin(math.Pi*float64(i)/512))
		}
		return out
	}
	oneFault(t, "a dip by 20 %", 250, func(x []float32, at int) []float32 { return dip(x, at) }, sized(Dip, 0))
}

func TestASpikeAndANotANumber(t *testing.T) {
	samples := sine(20000, 441, -12, 0)
	samples[10000] += 0.001
	if gaps := Gaps(samples, rateHz, 441); len(gaps) != 1 || gaps[0].Kind != Click {
		t.Errorf("spike of -60 dBFS: %+v", gaps)
	}
	samples[10000] = float32(math.NaN())
	if gaps := Gaps(samples, rateHz, 441); len(gaps) != 1 {
		t.Errorf("not a number: %+v", gaps)
	}
}

func TestManyFaultsAreAllFound(t *testing.T) {
	random := newRandom(5)
	samples := sine(20*rateHz, 441, -12, 0)
	const faults = 66
	for i := range faults {
		at := 20000 + i*13000 + random.IntN(8000)
		switch i % 3 {
		case 0:
			samples = PlantLoss(samples, at, 1)
		case 1:
			samples = PlantRepeat(samples, at, 1)
		case 2:
			samples = PlantSmoothLoss(samples, at, 2, 64)
		}
	}
	gaps := Gaps(resample(samples, wandering(500, 30, 0)), rateHz, 441)
	counts := map[Kind]int{}
	for _, gap := range gaps {
		counts[gap.Kind]++
	}
	if len(gaps) != faults || counts[Repeated] != 22 {
		t.Errorf("%d gaps of %d: %v", len(gaps), faults, counts)
	}
}

func TestLongSilenceInTheMiddle(t *testing.T) {
	samples := PlantZeros(sine(2*rateHz, 441, -12, 0), 30000, 40000)
	gaps := Gaps(samples, rateHz, 441)
	if len(gaps) != 1 || gaps[0].Kind != Silence || math.Abs(float64(gaps[0].LengthFrames-40000)) > 200 {
		t.Errorf("40000 frames of silence at 30000: %+v", gaps)
	}
}

func TestFaultsAtTheVeryEnds(t *testing.T) {
	clean := sine(20000, 441, -12, 0.3)
	for _, at := range []int{10, 70, 310, 19500, 19900} {
		if gaps := Gaps(PlantLoss(clean, at, 9), rateHz, 441); len(gaps) != 1 {
			t.Errorf("9 frames lost at %d of 20000: %+v", at, gaps)
		}
	}
	for _, at := range []int{0, 19000} {
		if gaps := Gaps(PlantZeros(clean, at, 1000), rateHz, 441); len(gaps) != 1 || gaps[0].Kind != Silence {
			t.Errorf("silence at %d: %+v", at, gaps)
		}
	}
}

func TestSoundWithoutTheToneProvesNothing(t *testing.T) {
	wrongPitch := sine(20000, 1000, -12, 0)
	noise := Noise(1, 0, 20000, false)
	for name, samples := range map[string][]float32{
		"silence": make([]float32, 20000), "too short": sine(1000, 441, -12, 0), "nothing": nil,
		"another tone": wrongPitch, "noise": noise,
	} {
		if gaps := Gaps(samples, rateHz, 441); len(gaps) == 0 {
			t.Errorf("%s: no gap", name)
		}
	}
}

func TestKindsAreNamedInReports(t *testing.T) {
	text, err := json.Marshal(Gap{1, 2, Repeated, -1})
	if want := `{"start_frame":1,"length_frames":2,"kind":"repeated","size_frames":-1}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
}

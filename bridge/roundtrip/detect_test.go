package roundtrip

import (
	"encoding/binary"
	"math"
	"testing"

	"archibald-bridge/bridge/status"
)

// wantDelay checks that every window is in one state and its round trip right
// within a tolerance in frames.
func wantDelay(t *testing.T, readings []Reading, state State, delay func(frame int) float64, within float64) {
	t.Helper()
	if len(readings) == 0 {
		t.Fatal("no readings")
	}
	for i, r := range readings {
		want := delay(i*windowFrames + windowFrames/2)
		if r.State != state || math.Abs(r.Frames-want) > within {
			t.Errorf("window %d: %s, match %.4f, %.4f frames; want %s, %.4f frames", i, r.State, r.Match, r.Frames, state, want)
		}
	}
}

func TestTheSoundIsInItsBandAndBelowItsPeak(t *testing.T) {
	peak := 0.0
	for _, sample := range played {
		peak = max(peak, math.Abs(sample))
	}
	if math.Abs(peak-soundPeak) > 1e-6 {
		t.Errorf("peak %g, want %g", peak, soundPeak)
	}
	total, outside := 0.0, 0.0
	for bin, c := range newDetector(Sound(1)).fft.Coefficients(nil, played) {
		power := real(c)*real(c) + imag(c)*imag(c)
		total += power
		if cycles := float64(bin) / soundFrames; cycles < lowestBin || cycles > silentFrom {
			outside += power
		}
	}
	if outside > total*1e-12 {
		t.Errorf("%.1f dB of the sound are outside its band", 10*math.Log10(outside/total))
	}
	if level := 20 * math.Log10(effective(played)); level < -30 || level > -20 {
		t.Errorf("effective level %.1f dBFS: more would hurt ears, less drown in noise", level)
	}
}

// A host at half of the rate passes what lies below 0.4 of its own.
func TestTheSoundIsWhatAHostAtALowerRatePasses(t *testing.T) {
	end := &status.Status{}
	end.Directions.Receive.Rate = 48000
	for rateHz, want := range map[int]float64{96000: 0.5, 48000: 1, 44100: 1, 192000: 0.25} {
		if got := bandShare(end, rateHz); got != want {
			t.Errorf("%d Hz beside 48000: %v, want %v", rateHz, got, want)
		}
	}
	if got := bandShare(nil, 96000); got != 1 {
		t.Errorf("without a bridge: %v", got)
	}
	sound := Sound(0.5)
	beyond := 0.0
	for bin, c := range newDetector(sound).fft.Coefficients(nil, newDetector(sound).sound) {
		if float64(bin)/soundFrames > silentFrom/2 {
			beyond += real(c)*real(c) + imag(c)*imag(c)
		}
	}
	if beyond > 1e-6 {
		t.Errorf("%g of the sound lies beyond its half", beyond)
	}
}

func TestFractionalDelaysAreFoundUnderNoise(t *testing.T) {
	for _, frames := range []float64{0, 0.25, 32, 63.9, 127.5, 128.05, 243.333, 680.6, 4095.99, 19200.4, soundFrames - 2.5} {
		p := path{delay: steady(frames), noise: -60}
		wantDelay(t, p.readings(3), Intact, p.delay, 0.01)
	}
}

func TestQuietSoundIsFound(t *testing.T) {
	p := path{delay: steady(500.3), gain: 1e-4, noise: -60}
	wantDelay(t, p.readings(3), Intact, p.delay, 0.01)
}

func TestLoudOtherSoundDamagesTheWindowsAndLeavesTheDelay(t *testing.T) {
	p := path{delay: steady(500.3), noise: -3}
	wantDelay(t, p.readings(10), Damaged, p.delay, 0.1)
}

func TestDriftIsFollowed(t *testing.T) {
	for _, ppm := range []float64{-100, 100} {
		p := path{delay: func(frame int) float64 { return 300 + ppm*1e-6*float64(frame) }, noise: -60}
		wantDelay(t, p.readings(60), Intact, p.delay, 0.02)
	}
}

func TestAnInvertingPathIsMeasuredAndTold(t *testing.T) {
	p := path{delay: steady(243.4), gain: -0.5, noise: -60}
	readings := p.readings(3)
	wantDelay(t, readings, Intact, p.delay, 0.01)
	for _, r := range readings {
		if r.Match > -0.99 {
			t.Errorf("match %.3f, want near -1", r.Match)
		}
	}
}

func TestAClippingPathIsMeasuredAndDamaged(t *testing.T) {
	limit := 0.5 * effective(played)
	p := path{delay: steady(243.4), alter: func(_ int, sample float64) float64 { return max(-limit, min(limit, sample)) }}
	wantDelay(t, p.readings(3), Damaged, p.delay, 0.05)
}

func TestAnEchoDamagesTheWindowsAndTheLouderSoundIsMeasured(t *testing.T) {
	const late = 960
	for _, echo := range []float64{0.5, 0.9, 1.5} {
		direct := path{delay: steady(243.4)}
		p := path{delay: direct.delay, alter: func(frame int, sample float64) float64 {
			return sample + echo*soundAt(float64(frame)-243.4-late)
		}}
		want := direct.delay
		if echo > 1 {
			want = steady(243.4 + late)
		}
		wantDelay(t, p.readings(5), Damaged, want, 0.1)
	}
}

func TestSilenceAndForeignSoundAreMissing(t *testing.T) {
	for name, alter := range map[string]func(int, float64) float64{
		"silence":     func(int, float64) float64 { return 0 },
		"sine":        func(frame int, _ float64) float64 { return 0.5 * math.Sin(2*math.Pi*441/rateHz*float64(frame)) },
		"constant":    func(int, float64) float64 { return 0.1 },
		"click":       func(frame int, _ float64) float64 { return float64(1 - min(frame%windowFrames, 1)) },
		"not numbers": func(int, float64) float64 { return math.NaN() },
	} {
		for i, r := range (path{delay: steady(0), alter: alter}).readings(5) {
			if r.State != Missing {
				t.Errorf("%s: window %d is %s, match %.3f at %.1f", name, i, r.State, r.Match, r.Frames)
			}
		}
	}
	for i, r := range (path{delay: steady(0), gain: 1e-9, noise: 170}).readings(200) {
		if r.State != Missing || math.Abs(r.Match) > 0.2 {
			t.Errorf("noise: window %d is %s, match %.3f", i, r.State, r.Match)
		}
	}
}

func TestAGapDamagesItsWindowAlone(t *testing.T) {
	for _, test := range []struct {
		gapFrames int
		state     State
	}{
		{8, Intact}, // less than 2 % of the energy, wherever it falls
		{64, Damaged},
		{1024, Damaged},
		{windowFrames, Missing},
	} {
		const begin = 2 * windowFrames
		p := path{delay: steady(243.4), noise: -60, alter: func(frame int, sample float64) float64 {
			if frame >= begin && frame < begin+test.gapFrames {
				return 0
			}
			return sample
		}}
		for i, r := range p.readings(5) {
			want := Intact
			if i == 2 {
				want = test.state
			}
			if r.State != want {
				t.Errorf("gap of %d frames: window %d is %s, want %s (match %.4f)", test.gapFrames, i, r.State, want, r.Match)
			}
			if r.State != Missing && math.Abs(r.Frames-243.4) > 0.02 {
				t.Errorf("gap of %d frames: window %d has %.3f frames, want 243.4", test.gapFrames, i, r.Frames)
			}
		}
	}
}

func TestAStepOfTheLatencyDamagesItsWindowAndIsThenMeasured(t *testing.T) {
	step := func(frame int) float64 {
		if frame < 2*windowFrames+windowFrames/4 {
			return 243
		}
		return 307.5
	}
	p := path{delay: step}
	readings := p.readings(5)
	if readings[2].State != Damaged || math.Abs(readings[2].Frames-307.5) > 0.05 {
		t.Errorf("the window with the step: %+v", readings[2])
	}
	wantDelay(t, readings[:2], Intact, step, 0.01)
	wantDelay(t, readings[3:], Intact, steady(307.5), 0.01)
}

func TestReadingsBeginWhereAskedAndEndWithTheLastWholeWindow(t *testing.T) {
	heard := path{delay: steady(100.5)}.heard(4*windowFrames + 100)
	readings := newDetector(Sound(1)).readings(heard, 300, rateHz)
	if len(readings) != 3 {
		t.Fatalf("%d readings, want 3", len(readings))
	}
	wantDelay(t, readings, Intact, steady(100.5), 0.01)
	for i, r := range readings {
		if want := (float64(i) + 0.5) * windowFrames / rateHz; math.Abs(r.Seconds-want) > 1e-9 {
			t.Errorf("reading %d is of %.4f s, want %.4f", i, r.Seconds, want)
		}
	}
}

// Whatever is heard, a reading is a number in its range and says so if it is
// none of ours.
func FuzzReadingIsInRange(f *testing.F) {
	d := newDetector(Sound(1))
	f.Add([]byte{}, 0, float32(0))
	f.Add([]byte{0, 0, 0x80, 0x7f, 0, 0, 0xc0, 0x7f, 0xff, 0xff, 0x7f, 0x7f}, 5, float32(1))
	f.Add([]byte{1, 0, 0, 0}, 1<<20, float32(-1e30))
	f.Fuzz(func(t *testing.T, data []byte, lag int, gain float32) {
		lag = max(0, min(lag, 1<<20))
		heard := make([]float32, windowFrames)
		for i := range heard {
			heard[i] = gain * float32(played[((i-lag)%soundFrames+soundFrames)%soundFrames])
		}
		for i := 0; i+4 <= len(data) && i/4 < len(heard); i += 4 {
			heard[i/4] = math.Float32frombits(binary.LittleEndian.Uint32(data[i:]))
		}
		r := d.read(heard, 0)
		if !(math.Abs(r.Match) <= 1) || !(r.Frames >= -1.5 && r.Frames <= soundFrames) {
			t.Errorf("%+v", r)
		}
		if (r.State == Missing) != (math.Abs(r.Match) < missingBelow) {
			t.Errorf("%+v", r)
		}
	})
}

func BenchmarkReadingOneWindow(b *testing.B) {
	d := newDetector(Sound(1))
	heard := path{delay: steady(100.5)}.heard(windowFrames)
	for b.Loop() {
		d.read(heard, 0)
	}
}

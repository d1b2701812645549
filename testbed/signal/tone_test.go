package signal

import (
	"math"
	"testing"
)

func TestToneIsMeasuredToAHundredth(t *testing.T) {
	random := newRandom(1)
	for range 40 {
		hz := 100 + random.Float64()*9900
		level := -60 + random.Float64()*60
		got, err := Tone(sine(3*rateHz, hz, level, random.Float64()*7), rateHz, hz*(0.95+0.1*random.Float64()))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.FrequencyHz-hz) > 0.01 || math.Abs(got.LevelDBFS-level) > 0.01 {
			t.Errorf("%.3f Hz %.3f dBFS measured as %.3f Hz %.3f dBFS", hz, level, got.FrequencyHz, got.LevelDBFS)
		}
		if got.THDNdB > -140-level+6 {
			t.Errorf("%.0f Hz at %.1f dBFS: THD+N %.1f dB on the L24 grid", hz, level, got.THDNdB)
		}
	}
}

func TestAShortNoteOfAPhrase(t *testing.T) {
	got, err := Tone(sine(rateHz/4, 523.251, -20, 1), rateHz, 523.251)
	if err != nil || math.Abs(got.FrequencyHz-523.251) > 0.05 || math.Abs(got.LevelDBFS+20) > 0.01 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestASemitoneTooHighIsReportedAsPlayed(t *testing.T) {
	got, err := Tone(sine(rateHz, 466.164, -12, 0), rateHz, 440)
	if err != nil || math.Abs(got.FrequencyHz-466.164) > 0.01 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAMissingToneHasALowLevel(t *testing.T) {
	got, err := Tone(sine(rateHz, 1000, -12, 0), rateHz, 441)
	if err != nil || got.LevelDBFS > -80 {
		t.Errorf("441 Hz in a recording of 1000 Hz: %+v, %v", got, err)
	}
	got, err = Tone(make([]float32, rateHz), rateHz, 441)
	if err != nil || !math.IsInf(got.LevelDBFS, -1) {
		t.Errorf("441 Hz in silence: %+v, %v", got, err)
	}
}

func TestDistortionAndNoiseAreMeasured(t *testing.T) {
	clean := sine(2*rateHz, 1000, -12, 0)
	third := add(clean, sine(2*rateHz, 3000, -72, 1))
	if got, _ := Tone(third, rateHz, 1000); math.Abs(got.THDNdB+60) > 0.1 {
		t.Errorf("third harmonic 60 dB below: THD+N %.2f dB", got.THDNdB)
	}
	noisy := make([]float32, len(clean))
	random := newRandom(2)
	for i, x := range clean {
		noisy[i] = x + float32(random.NormFloat64()*1e-4)
	}
	// Noise of 1e-4 RMS is 80 dB below full scale RMS, -12 dBFS is -15 dB RMS.
	if got, _ := Tone(noisy, rateHz, 1000); math.Abs(got.THDNdB-(-80+12+3.01)) > 0.2 {
		t.Errorf("noise: THD+N %.2f dB, want -64.99", got.THDNdB)
	}
}

func TestGlitchesMoveNeitherFrequencyNorLevel(t *testing.T) {
	samples := sine(5*rateHz, 441, -12, 0)
	for _, at := range []int{50000, 100000, 170000} {
		samples = PlantLoss(samples, at, 37)
	}
	got, err := Tone(samples, rateHz, 441)
	if err != nil || math.Abs(got.FrequencyHz-441) > 0.01 || math.Abs(got.LevelDBFS+12) > 0.01 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestADriftingClockIsMeasured(t *testing.T) {
	samples := resample(sine(5*rateHz, 1000, -12, 0), func(int) float64 { return 200 })
	got, err := Tone(samples, rateHz, 1000)
	if err != nil || math.Abs(got.FrequencyHz-1000.2) > 0.01 || got.THDNdB > -85 {
		t.Errorf("1000 Hz at +200 ppm: %+v, %v", got, err)
	}
}

func TestTooLittleSoundIsAnError(t *testing.T) {
	if _, err := Tone(make([]float32, toneMinFrames-1), rateHz, 441); err == nil {
		t.Error("Tone judged 4095 frames")
	}
	if _, err := Leak(make([]float32, 8191), rateHz, 441); err == nil {
		t.Error("Leak judged 8191 frames")
	}
}

func TestALeakIsMeasured(t *testing.T) {
	own := sine(2*rateHz, 441, -12, 0)
	for _, level := range []float64{-30, -60, -90, -110} {
		got, err := Leak(add(own, sine(2*rateHz, 661.05, level, 2)), rateHz, 661)
		if err != nil || math.Abs(got-level) > 0.7 {
			t.Errorf("leak of %.0f dBFS measured as %.2f (%v)", level, got, err)
		}
	}
}

func TestNoLeakIsFarBelowAnyLeak(t *testing.T) {
	own := resample(sine(2*rateHz, 441, -12, 0), wandering(300, 2, 0))
	own = PlantZeros(own, 30000, 500)
	if got, err := Leak(own, rateHz, 661); err != nil || got > -95 {
		t.Errorf("leak without a foreign tone: %.1f dBFS, %v", got, err)
	}
}

package quality

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tone is a tone of 1 kHz at -6 dBFS, and the same with noise of noiseDBFS.
func tone(noiseDBFS float64) (reference, heard []float32) {
	r := rand.New(rand.NewPCG(1, 2))
	level := math.Pow(10, noiseDBFS/20)
	for i := range 48000 {
		x := 0.5 * math.Sin(2*math.Pi*1000*float64(i)/48000)
		reference = append(reference, float32(x))
		heard = append(heard, float32(x+level*r.NormFloat64()))
	}
	return reference, heard
}

func TestSNRIsThatOfTheNoise(t *testing.T) {
	s, err := Compare(noisy(-49))
	if err != nil || math.Abs(s.SNRdB-40) > 0.1 {
		t.Errorf("%+v, %v: want 40 dB", s, err)
	}
}

func noisy(noiseDBFS float64) ([]float32, []float32, int) {
	reference, heard := tone(noiseDBFS)
	return reference, heard, 48000
}

func TestMoreNoiseIsWorse(t *testing.T) {
	last := Score{SNRdB: math.Inf(1), BandSNRdB: math.Inf(1), NMRdB: math.Inf(-1), Audible: -1}
	for _, noise := range []float64{-100, -80, -60, -40, -20} {
		s, err := Compare(noisy(noise))
		if err != nil || s.SNRdB >= last.SNRdB || s.BandSNRdB > last.BandSNRdB || s.NMRdB <= last.NMRdB || s.Audible < last.Audible {
			t.Errorf("noise of %.0f dBFS: %+v after %+v, %v", noise, s, last, err)
		}
		last = s
	}
	if last.Audible < 0.9 {
		t.Errorf("white noise at -20 dBFS is heard in %.2f of all bands", last.Audible)
	}
}

func TestNoiseBesideATonesBandIsHiddenLessThanInIt(t *testing.T) {
	reference, _ := tone(-100)
	at := func(hz float64) float64 {
		heard := make([]float32, len(reference))
		for i := range heard {
			heard[i] = reference[i] + float32(0.02*math.Sin(2*math.Pi*hz*float64(i)/48000)) // 28 dB below
		}
		s, err := Compare(reference, heard, 48000)
		if err != nil {
			t.Fatal(err)
		}
		return s.Audible
	}
	if in, beside := at(950), at(5000); in > 0.001 || beside < 0.03 {
		t.Errorf("a tone beside 1 kHz is heard in %.3f of the bands, one at 5 kHz in %.3f", in, beside)
	}
}

func TestWhatCannotBeComparedIsRefused(t *testing.T) {
	for _, c := range [][2][]float32{{make([]float32, 4096), make([]float32, 4097)}, {make([]float32, 100), make([]float32, 100)}, {make([]float32, 4096), make([]float32, 4096)}} {
		if _, err := Compare(c[0], c[1], 48000); err == nil {
			t.Errorf("%d and %d frames were compared", len(c[0]), len(c[1]))
		}
	}
}

package recording

import (
	"math"
	"math/rand/v2"
	"testing"
)

// served is a minute of cycles of 64 frames of a server whose clock is ppm fast.
// Each is late by latenessNs; at every cycle of lossAt the server loses 5 ms.
func served(ppm float64, latenessNs func() float64, lossAt ...int) *Recording {
	r := &Recording{RateHz: 48000}
	lost := 0.0
	for k := range 60 * 750 {
		cycle := Cycle{FrameTime: uint32(64 * k), Frames: 64}
		for _, at := range lossAt {
			if at == k {
				lost += 5e6
				cycle.LostFrames = 240
			}
		}
		cycle.MonotonicNs = int64(float64(64*k)*1e9/48000/(1+ppm*1e-6) + lost + latenessNs())
		r.starts = append(r.starts, 64*k)
		r.Cycles = append(r.Cycles, cycle)
	}
	return r
}

func TestTheRateOfAServerIsFoundThroughLateCyclesAndLostTime(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noisy := func() float64 {
		if random.IntN(100) == 0 {
			return 3e6 * random.Float64()
		}
		return 20e3 * random.ExpFloat64()
	}
	for _, ppm := range []float64{0, 100, -100, 500, -500} {
		for name, r := range map[string]*Recording{
			"on time":           served(ppm, func() float64 { return 0 }),
			"late":              served(ppm, noisy),
			"late, with losses": served(ppm, noisy, 9000, 9001, 20000, 33000),
		} {
			if got := (r.FrameRate()/48000 - 1) * 1e6; math.Abs(got-ppm) > 0.5 {
				t.Errorf("%s: %.2f ppm, want %g", name, got, ppm)
			}
		}
	}
}

// A server that starts again after an xrun may do so by less than half a period,
// which does not count as lost.
func TestALittleStepOfTheGridIsNoDrift(t *testing.T) {
	r := served(100, func() float64 { return 0 })
	for k := 21000; k < len(r.Cycles); k++ {
		r.Cycles[k].MonotonicNs += 400e3
	}
	if got := (r.FrameRate()/48000 - 1) * 1e6; math.Abs(got-100) > 0.5 {
		t.Errorf("%.2f ppm, want 100", got)
	}
}

func TestTheRateOfNothingIsNotKnown(t *testing.T) {
	for _, r := range []*Recording{{RateHz: 48000}, {RateHz: 48000, starts: []int{0}, Cycles: []Cycle{{Frames: 64, MonotonicNs: 5}}}} {
		if got := r.FrameRate(); got != 0 {
			t.Errorf("%g Hz", got)
		}
	}
}

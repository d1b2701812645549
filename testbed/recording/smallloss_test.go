package recording

import (
	"math/rand/v2"
	"testing"
)

// small is ten seconds of cycles of 64 frames. At cycle at one comes a period and so
// many frames too late, the next one at once, and the server's grid has moved by those frames.
func small(lostFrames float64, at int, latenessNs func() float64) *Recording {
	const nsPerFrame = 1e9 / 48000.0
	r := &Recording{RateHz: 48000}
	lostNs := 0.0
	for k := range 7500 {
		ns := float64(64*k)*nsPerFrame + lostNs + latenessNs()
		if k == at {
			ns += (64 + lostFrames) * nsPerFrame
			lostNs = lostFrames * nsPerFrame
		} else if k == at+1 {
			ns -= min(lostFrames, 5) * nsPerFrame
		}
		r.starts = append(r.starts, 64*k)
		r.Cycles = append(r.Cycles, Cycle{FrameTime: uint32(64 * k), Frames: 64, MonotonicNs: int64(ns)})
	}
	return r
}

func TestALossOfLessThanAPeriodIsFound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noisy := func() float64 { return 10e3 + 15e3*random.ExpFloat64() }
	for _, lost := range []float64{5, 12, 40} {
		losses := small(lost, 3000, noisy).Losses()
		if len(losses) != 1 || losses[0].Frame != 64*3000 || losses[0].LostFrames < int(lost)-1 || losses[0].LostFrames > int(lost)+1 {
			t.Errorf("%v frames lost: found %+v", lost, losses)
		}
	}
}

func TestALateCycleAloneIsNoLoss(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	late := 0
	losses := small(0, 3000, func() float64 {
		if random.IntN(100) == 0 {
			late++
			return 3e6 * random.Float64()
		}
		return 10e3 + 15e3*random.ExpFloat64()
	}).Losses()
	if late < 50 || len(losses) > 0 {
		t.Errorf("of %d late cycles %d are losses: %+v", late, len(losses), losses)
	}
}

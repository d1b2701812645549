package sim

import (
	"math"
	"testing"
)

// A hundred guests call one host: each clock is off by its own amount, each network
// has its own noise, all play into one graph.
func TestAHundredGuestsAreEachPlayedWithoutADropout(t *testing.T) {
	worst := 0.0
	for guest := range uint64(100) {
		r := NewRandom(1000 + guest)
		l := &Link{
			Sender:    Graph{RateHz: 48000, PeriodFrames: 64, PPM: Steady(200*r.Float64() - 100), WakeNs: r.Wake(20e3, 20e3), StartNs: 1.3e6 * r.Float64()},
			Receiver:  Graph{RateHz: 48000, PeriodFrames: 64, WakeNs: NewRandom(7).Wake(20e3, 20e3), StartNs: 1}, // the same for all
			NetworkNs: r.Wake(30e3, 20e3),
		}
		least, most, seeks, concealed := math.Inf(1), math.Inf(-1), 0, uint64(0)
		if err := l.Run(60, func(s State) {
			if s.Seek {
				seeks++
			}
			if s.Seconds > settled {
				least, most = min(least, s.TrueDelay), max(most, s.TrueDelay)
			}
			concealed = l.Engine().Counters().Received.ConcealedFrames
		}); err != nil {
			t.Fatal(err)
		}
		worst = max(worst, most-least)
		if seeks != 1 || concealed > 0 || most-least > 2 {
			t.Errorf("guest %d: %d seeks, %d frames concealed, wander %.2f frames", guest, seeks, concealed, most-least)
		}
	}
	t.Logf("the delay that moved most did so by %.2f frames in 50 s", worst)
}

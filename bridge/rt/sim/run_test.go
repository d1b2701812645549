package sim

import (
	"math"
	"math/rand/v2"
	"testing"

	"archibald-bridge/bridge/clock"
)

func TestProbe(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, ppm := range []float64{0, 100, -500} {
		l := Link{
			Sender:    Graph{RateHz: 48000, PeriodFrames: 64, PPM: Steady(ppm), WakeNs: func() float64 { return 30e3 + math.Abs(r.NormFloat64())*30e3 }},
			Receiver:  Graph{RateHz: 48000, PeriodFrames: 64, WakeNs: func() float64 { return 30e3 + math.Abs(r.NormFloat64())*30e3 }},
			NetworkNs: func() float64 { return 20e3 + r.ExpFloat64()*30e3 },
			Servo:     clock.Config{},
		}
		next := 0.0
		seeks := 0
		err := l.Run(60, func(s State) {
			if s.Seek {
				seeks++
				t.Logf("%6.2f seek", s.Seconds)
			}
			if s.Seconds >= next {
				next = s.Seconds*1.5 + 0.25
				st := l.ServoStatus()
				c := l.Engine().Counters().Received
				t.Logf("%6.2f true %.2f servo %.2f target %.0f ratio %.2f ppm drift %.2f eq %v late %d conc %d", s.Seconds, s.TrueDelay, st.DelayFrames, st.TargetFrames, (s.Cycle.Ratio-1)*1e6, st.DriftPPM, st.Equal, c.Late, c.ConcealedFrames)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

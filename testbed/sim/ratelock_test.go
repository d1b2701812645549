package sim

import (
	"testing"
)

// loses is a server at period 256 that loses some milliseconds about once in this number of
// seconds. Its wake-ups say only roughly how many.
func loses(r Random, seconds, ppm float64) Graph {
	const periodFrames = 256
	return Graph{
		RateHz: 48000, PeriodFrames: periodFrames, PPM: Steady(ppm), WakeNs: r.Wake(40e3, 60e3),
		LostNs: func() float64 {
			if r.Float64() < periodFrames/48000.0/seconds {
				return 4.2e6 + r.ExpFloat64()*8e6
			}
			return 0
		},
	}
}

// share runs the receiver and returns the share of the time after settling in which
// it copied.
func share(t *testing.T, r Random, lossSeconds, ppm float64) float64 {
	t.Helper()
	l := &Link{Sender: loses(r, lossSeconds, ppm), Receiver: loses(r, lossSeconds, 0), NetworkNs: r.Wake(30e3, 20e3)}
	l.Servo.LatencyFrames = 4800
	looks, locked := 0, 0
	err := l.Run(90, func(s State) {
		if s.Seconds < 30 {
			return
		}
		looks++
		if l.ServoStatus().RateLocked {
			locked++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return float64(locked) / float64(looks)
}

// Two servers that share a clock, each losing time every few seconds.
func TestALockIsFoundAndKeptAlthoughServersLoseTime(t *testing.T) {
	for _, seconds := range []float64{1e6, 30, 10} {
		for seed := range uint64(6) {
			got := share(t, NewRandom(seed), seconds, 0)
			t.Logf("time lost every %g s, seed %d: copied for %.2f of the time", seconds, seed, got)
			if got < 1 {
				t.Errorf("time lost every %g s, seed %d: copied for %.2f of the time", seconds, seed, got)
			}
		}
	}
}

func TestServersThatLoseTimeDoNotMakeTwoClocksLookLikeOne(t *testing.T) {
	for seed := range uint64(6) {
		if got := share(t, NewRandom(seed), 10, 5); got > 0 {
			t.Errorf("seed %d: clocks 5 ppm apart were copied for %.2f of the time", seed, got)
		}
	}
}

package sim

import (
	"slices"
	"testing"
)

// stalls is a server on a machine that stalls about once in this number of seconds: some
// time is lost, and the wake-ups after it are late.
func stalls(seed uint64, seconds, ppm, startNs float64) Graph {
	const periodFrames = 64
	r := NewRandom(seed)
	busyNs := 0.0
	return Graph{
		RateHz: 48000, PeriodFrames: periodFrames, PPM: Steady(ppm), StartNs: startNs,
		LostNs: func() float64 {
			if r.Float64() >= periodFrames/48000.0/seconds {
				return 0
			}
			busyNs = 200e3
			return 1.4e6 + r.ExpFloat64()*4e6
		},
		WakeNs: func() float64 {
			busyNs *= 0.8
			return 15e3 + r.ExpFloat64()*(8e3+busyNs)
		},
	}
}

// delays is the way through the link, every tenth of a second from the tenth second
// on. While a loss of time is not noticed yet, a few milliseconds each, the delay is
// another, so each is the median of seven.
func delays(t *testing.T, l *Link, seconds float64) (smooth []float64, seeks int) {
	t.Helper()
	var raw []float64
	if err := l.Run(seconds, func(s State) {
		if s.Seek {
			seeks++
		}
		for s.Seconds > settled && len(raw) < int((s.Seconds-settled)*10) {
			raw = append(raw, s.TrueDelay)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for k := 3; k+4 <= len(raw); k++ {
		window := slices.Sorted(slices.Values(raw[k-3 : k+4]))
		smooth = append(smooth, window[3])
	}
	return smooth, seeks
}

func span(x []float64) float64 { return slices.Max(x) - slices.Min(x) }

// What one graph counts wrong of the time it lost, the one direction has more and the
// other less: the round trip hides it.
func TestStallsOfBothServersMoveNeitherDirectionNorTheRoundTrip(t *testing.T) {
	for seed := range uint64(6) {
		guest := func() Graph { return stalls(2*seed, 20, 30, 1e5) }
		host := func() Graph { return stalls(2*seed+1, 30, 0, 6e5) }
		link := func(from, to Graph, seed uint64) *Link {
			l := &Link{Sender: from, Receiver: to, NetworkNs: NewRandom(seed).Wake(20e3, 10e3)}
			l.Servo.LatencyFrames, l.Servo.Free = 112, true
			return l
		}
		there, seeksThere := delays(t, link(guest(), host(), seed+77), 600)
		back, seeksBack := delays(t, link(host(), guest(), seed+78), 600)
		both := make([]float64, min(len(there), len(back)))
		for i := range both {
			both[i] = there[i] + back[i]
		}
		t.Logf("seed %d: there %.1f, back %.1f, round trip %.2f frames of wander", seed, span(there), span(back), span(both))
		if span(there) > 6 || span(back) > 6 || span(both) >= 2 || seeksThere != 1 || seeksBack != 1 {
			t.Errorf("seed %d: wander there %.1f, back %.1f, round trip %.2f frames, %d and %d seeks; want < 6, < 6, < 2, 1 and 1",
				seed, span(there), span(back), span(both), seeksThere, seeksBack)
		}
	}
}

package sim

import (
	"fmt"
	"math"
	"testing"

	"archibald-bridge/testbed/gate"
)

// pairs are the rates of a sender and of a receiver, with the receiver's period. The sender's
// lasts about as long.
var pairs = []struct{ sender, receiver, period int }{
	{96000, 48000, 32}, {48000, 96000, 64}, {44100, 48000, 64}, {48000, 44100, 64}, {192000, 44100, 64}, {8000, 48000, 256}, {192000, 8000, 32}, {176400, 8000, 32},
}

// atRates is a quiet machine whose two graphs have different rates.
func atRates(r Random, sender, receiver, period int, ppm float64) *Link {
	l := link(r, ppm)
	l.Sender.RateHz, l.Receiver.RateHz, l.Receiver.PeriodFrames = sender, receiver, period
	l.Sender.PeriodFrames = max(16, period*sender/receiver/16*16)
	return l
}

// inMs is a number of frames of the sender's in milliseconds.
func (l *Link) inMs(frames float64) float64 { return frames * 1e3 / float64(l.Sender.RateHz) }

func TestGraphsOfDifferentRatesKeepAConstantDelay(t *testing.T) {
	for _, p := range pairs {
		for _, ppm := range []float64{-500, 0, 100} {
			t.Run(fmt.Sprintf("%d to %d Hz, %+.0f ppm", p.sender, p.receiver, ppm), func(t *testing.T) {
				l := atRates(NewRandom(31), p.sender, p.receiver, p.period, ppm)
				o := run(t, l, 120)
				nominal := float64(p.sender) / float64(p.receiver)
				if len(o.seeks) != 1 || l.inMs(o.wander()) > 0.05 || o.counters.ConcealedFrames > 0 {
					t.Errorf("%d seeks, wander %.3f ms, %d frames concealed; want 1, at most 0.05, 0", len(o.seeks), l.inMs(o.wander()), o.counters.ConcealedFrames)
				}
				if math.Abs(o.status.DriftPPM-ppm) > 1 || math.Abs(o.status.RatioPPM-ppm) > 5 || math.Abs(o.ratioMost/nominal-1) > 600e-6 {
					t.Errorf("drift %.2f ppm, ratio %.2f ppm, at most %v; want %.0f ppm around %v", o.status.DriftPPM, o.status.RatioPPM, o.ratioMost, ppm, nominal)
				}
				if off := math.Abs(o.middle() - o.status.TargetFrames); l.inMs(off) > 0.05 {
					t.Errorf("delay %.2f to %.2f frames, target %.0f", o.least, o.most, o.status.TargetFrames)
				}
				if o.status.RateLocked {
					t.Error("rate locked: different rates are never copied")
				}
			})
		}
	}
}

func TestPeriodsOf16FramesKeepAConstantDelay(t *testing.T) {
	for _, rateHz := range []int{48000, 96000} {
		l := atRates(NewRandom(35), rateHz, rateHz, 16, -60)
		l.Sender.PeriodFrames = 16
		o := run(t, l, 60)
		if len(o.seeks) != 1 || l.inMs(o.wander()) > 0.05 || o.counters.ConcealedFrames > 0 || o.counters.Observations > 0 {
			t.Errorf("%d Hz: %d seeks, wander %.3f ms, %d frames concealed, %d observations lost; want 1, at most 0.05, 0, 0", rateHz, len(o.seeks),
				l.inMs(o.wander()), o.counters.ConcealedFrames, o.counters.Observations)
		}
	}
}

// What a graph lost, on either side, moves the other rate's position by as much time.
func TestLostTimeOfAGraphOfAnotherRateDoesNotMoveTheLatency(t *testing.T) {
	const withinMs, atOnce = 0.085, 0.05 // as between equal rates: 4 frames of 48 kHz
	for name, graph := range map[string]func(*Link) *Graph{
		"sender":   func(l *Link) *Graph { return &l.Sender },
		"receiver": func(l *Link) *Graph { return &l.Receiver },
	} {
		for _, p := range pairs[:5] {
			t.Run(fmt.Sprintf("%s, %d to %d Hz", name, p.sender, p.receiver), func(t *testing.T) {
				r := NewRandom(32)
				l := atRates(r, p.sender, p.receiver, p.period, 20)
				l.Servo.LatencyFrames = p.sender / 250 // 4 ms
				lostAt, losses := 0.0, 0
				graph(l).LostNs = func() float64 {
					if r.Float64() >= 1.0/2000 {
						return 0
					}
					lostAt, losses = l.now.startNs*1e-9, losses+1
					return 1.4e6 + r.Float64()*8e6
				}
				least, most := math.Inf(1), math.Inf(-1)
				o := run(t, l, 120, func(s State) {
					if s.Seconds > max(settled, lostAt+atOnce) {
						least, most = min(least, s.TrueDelay), max(most, s.TrueDelay)
					}
				})
				fixed := float64(l.Servo.LatencyFrames)
				if len(o.seeks) != 1 || losses < 20 || l.inMs(fixed-least) > withinMs || l.inMs(most-fixed) > withinMs {
					t.Errorf("%d seeks, %d losses, delay %.2f to %.2f frames from %v s after each, want %.0f +- %.0f", len(o.seeks), losses, least, most,
						atOnce, fixed, withinMs*float64(p.sender)/1e3)
				}
			})
		}
	}
}

func TestLossBetweenDifferentRatesIsConcealedWhereItIs(t *testing.T) {
	for _, p := range pairs {
		t.Run(fmt.Sprintf("%d to %d Hz", p.sender, p.receiver), func(t *testing.T) {
			r := NewRandom(33)
			l := atRates(r, p.sender, p.receiver, p.period, 50)
			lost := 0
			l.Lose = func() bool {
				gone := l.sent.startNs > 2e9 && r.Float64() < 0.01
				if gone {
					lost++
				}
				return gone
			}
			o := run(t, l, 60)
			got, want := float64(o.counters.ConcealedFrames), float64(lost*l.Sender.PeriodFrames)
			if math.Abs(got-want) > 0.02*want || len(o.seeks) != 1 || o.counters.DiscardedLate > 0 {
				t.Errorf("%.0f frames concealed of %.0f lost, %d seeks, %d late", got, want, len(o.seeks), o.counters.DiscardedLate)
			}
		})
	}
}

// A day (in make test, a sixth of one) between a VM at 96 kHz and a desktop at 48, and back.
func TestADayBetweenDifferentRatesHasNoSlip(t *testing.T) {
	for _, p := range []struct{ sender, receiver, period int }{{96000, 48000, 256}, {48000, 96000, 512}, {44100, 48000, 256}} {
		l := atRates(NewRandom(34), p.sender, p.receiver, p.period, 100)
		l.Servo.LatencyFrames = p.sender / 50 // 20 ms
		o := run(t, l, gate.Soak(4*3600.0, 24*3600))
		if len(o.seeks) != 1 || l.inMs(o.wander()) > 0.1 || math.Abs(o.middle()-o.status.TargetFrames) > float64(p.sender)/20000 || o.counters.Observations > 0 {
			t.Errorf("%d to %d Hz: %d seeks, delay %.2f to %.2f frames, target %.0f, %d observations lost", p.sender, p.receiver, len(o.seeks),
				o.least, o.most, o.status.TargetFrames, o.counters.Observations)
		}
	}
}

package sim

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/stream"
)

// link is a quiet machine at period 64, 48 kHz.
func link(r Random, ppm float64) *Link {
	return &Link{
		Sender:    Graph{RateHz: 48000, PeriodFrames: 64, PPM: Steady(ppm), WakeNs: r.Wake(20e3, 20e3)},
		Receiver:  Graph{RateHz: 48000, PeriodFrames: 64, WakeNs: r.Wake(20e3, 20e3)},
		NetworkNs: r.Wake(30e3, 20e3),
		Servo:     clock.Config{GapsPerHour: usualGapsPerHour},
	}
}

// outcome is a run seen from outside.
type outcome struct {
	seeks                 []float64 // times
	least, most           float64   // delay after settled
	first                 float64   // time of the first sound
	counters              stream.ReceiveCounters
	status                clock.Status
	ratioLeast, ratioMost float64
}

const settled = 10.0 // seconds after which a delay is judged

// run also calls look, when one is given, after every look of control.
func run(t *testing.T, l *Link, seconds float64, look ...func(State)) outcome {
	t.Helper()
	o := outcome{least: math.Inf(1), most: math.Inf(-1), ratioLeast: 2}
	err := l.Run(seconds, func(s State) {
		for _, look := range look {
			look(s)
		}
		if s.Seek {
			o.seeks = append(o.seeks, s.Seconds)
			return
		}
		if !s.Cycle.Playing {
			return
		}
		if o.first == 0 {
			o.first = s.Seconds
		}
		if s.Seconds > settled {
			o.least, o.most = min(o.least, s.TrueDelay), max(o.most, s.TrueDelay)
			o.ratioLeast, o.ratioMost = min(o.ratioLeast, s.Cycle.Ratio), max(o.ratioMost, s.Cycle.Ratio)
		}
		o.counters = l.Engine().Counters().Received
	})
	if err != nil {
		t.Fatal(err)
	}
	o.status = l.ServoStatus()
	t.Logf("delay %.2f to %.2f, target %.0f, %d seeks at %.2f, drift %.2f ppm, equal %v, concealed %d frames, late %d, dropouts %d",
		o.least, o.most, o.status.TargetFrames, len(o.seeks), o.seeks[:min(8, len(o.seeks))], o.status.DriftPPM, o.status.RateLocked,
		o.counters.ConcealedFrames, o.counters.DiscardedLate, o.counters.Dropouts)
	return o
}

func (o outcome) middle() float64 { return (o.most + o.least) / 2 }

func (o outcome) wander() float64 { return o.most - o.least }

func TestDriftingClocksKeepAConstantDelay(t *testing.T) {
	for _, ppm := range []float64{-500, -100, -10, 3, 100, 500} {
		o := run(t, link(NewRandom(1), ppm), 300)
		if len(o.seeks) != 1 || o.wander() > 2 || o.counters.ConcealedFrames > 0 {
			t.Errorf("%+.0f ppm: %d seeks, wander %.2f frames, %d frames concealed; want 1, < 2, 0",
				ppm, len(o.seeks), o.wander(), o.counters.ConcealedFrames)
		}
		if math.Abs(o.status.DriftPPM-ppm) > 0.5 {
			t.Errorf("%+.0f ppm: measured %.2f", ppm, o.status.DriftPPM)
		}
	}
}

func TestEqualClocksAreNotResampled(t *testing.T) {
	o := run(t, link(NewRandom(2), 0), 600)
	if !o.status.RateLocked || o.ratioLeast != 1 || o.ratioMost != 1 || o.wander() > 0.01 {
		t.Errorf("equal %v, ratio %v to %v, wander %v", o.status.RateLocked, o.ratioLeast, o.ratioMost, o.wander())
	}
}

func TestFreeClocksAreAlwaysResampled(t *testing.T) {
	l := link(NewRandom(2), 0)
	l.Servo.Free = true
	if o := run(t, l, 60); o.status.RateLocked || o.ratioLeast == o.ratioMost {
		t.Errorf("equal %v, ratio %v to %v", o.status.RateLocked, o.ratioLeast, o.ratioMost)
	}
}

func TestClocksThatDriftApartAfterAllAreResampledAgain(t *testing.T) {
	l := link(NewRandom(3), 0)
	l.Sender.PPM = func(seconds float64) float64 {
		if seconds < 60 {
			return 0
		}
		return 40
	}
	o := run(t, l, 300)
	if o.status.RateLocked || o.counters.ConcealedFrames > 0 || math.Abs(o.status.DriftPPM-40) > 0.5 {
		t.Errorf("equal %v, %d frames concealed, drift %.2f ppm", o.status.RateLocked, o.counters.ConcealedFrames, o.status.DriftPPM)
	}
}

func TestControlStoppedFor100msLosesNothing(t *testing.T) {
	l := link(NewRandom(4), 100)
	l.ControlStalls = func(seconds float64) bool { return seconds > 5 && math.Mod(seconds, 1) < 0.1 }
	o := run(t, l, 60)
	if o.counters.ConcealedFrames > 0 || o.wander() > 2 || o.counters.Observations > 0 {
		t.Errorf("%d frames concealed, wander %.2f, %d observations lost", o.counters.ConcealedFrames, o.wander(), o.counters.Observations)
	}
}

// A server that re-anchors after an xrun must not move the latency, on either
// side. A receiver that lost time plays what is due within its next cycles; a
// sender's loss is known better after some of its packets.
func TestLostTimeDoesNotMoveTheLatency(t *testing.T) {
	const withinFrames, atOnce = 4, 0.05
	for name, graph := range map[string]func(*Link) *Graph{
		"sender":   func(l *Link) *Graph { return &l.Sender },
		"receiver": func(l *Link) *Graph { return &l.Receiver },
	} {
		for _, fixedFrames := range []int{0, 128} {
			t.Run(fmt.Sprintf("%s, latency %d", name, fixedFrames), func(t *testing.T) {
				r := NewRandom(5)
				l := link(r, 20)
				l.Servo.LatencyFrames = fixedFrames
				lostAt, losses := 0.0, 0
				graph(l).LostNs = func() float64 {
					if r.Float64() >= 1.0/2000 { // every 2.7 s
						return 0
					}
					lostAt, losses = l.now.startNs*1e-9, losses+1
					return 1.4e6 + r.Float64()*8e6
				}
				least, most := math.Inf(1), math.Inf(-1)
				o := run(t, l, 300, func(s State) {
					if s.Seconds > max(settled, lostAt+atOnce) {
						least, most = min(least, s.TrueDelay), max(most, s.TrueDelay)
					}
				})
				t.Logf("%d losses, then delay %.2f to %.2f; skips %d, %d frames", losses, least, most, o.counters.Skips, o.counters.SkippedFrames)
				if len(o.seeks) != 1 || losses < 50 {
					t.Errorf("%d seeks, %d losses", len(o.seeks), losses)
				}
				// A target that is learned grows with a sender's lost time.
				if fixed := float64(fixedFrames); fixed > 0 && (least < fixed-withinFrames || most > fixed+withinFrames) {
					t.Errorf("delay %.2f to %.2f frames from %v s after each loss, want %v +- %d", least, most, atOnce, fixed, withinFrames)
				}
			})
		}
	}
}

// A server can lose less time than shows against its late wake-ups. Until playout
// has moved, every packet is late.
func TestSmallStepOfAClockIsFollowedAtOnce(t *testing.T) {
	for name, set := range map[string]func(*Link, func() float64){
		"sender":   func(l *Link, lose func() float64) { l.Sender.LostNs = lose },
		"receiver": func(l *Link, lose func() float64) { l.Receiver.LostNs = lose },
	} {
		t.Run(name, func(t *testing.T) {
			l := link(NewRandom(12), 30)
			l.Servo.LatencyFrames = 112
			cycles := 0
			set(l, func() float64 {
				if cycles++; cycles%7500 == 0 { // every 10 s
					return 0.9e6
				}
				return 0
			})
			o := run(t, l, 60)
			if o.counters.DiscardedLate > 6*20 || len(o.seeks) > 8 {
				t.Errorf("%d late packets in 6 steps, want at most 20 in each; %d seeks", o.counters.DiscardedLate, len(o.seeks))
			}
			if off := math.Abs(o.status.DelayFrames - o.status.TargetFrames); off > 4 {
				t.Errorf("delay %.2f, target %.0f", o.status.DelayFrames, o.status.TargetFrames)
			}
		})
	}
}

func TestSenderThatBeginsAnewIsFollowedAtOnce(t *testing.T) {
	l := link(NewRandom(6), 50)
	sent := 0
	l.Restarts = func() bool { sent++; return sent == 15000 } // at 20 s
	o := run(t, l, 40)
	if len(o.seeks) != 2 || o.seeks[1]-o.seeks[0] > 20.5 {
		t.Errorf("seeks at %.2f; want one within 0.5 s of second 21", o.seeks)
	}
}

func TestTargetGrowsOnEvidenceAndThenHolds(t *testing.T) {
	r := NewRandom(7)
	l := link(r, 0)
	l.Servo.GapsPerHour = 0 // each gap counts
	calm := l.NetworkNs
	wild := Sum(calm, r.Pareto(50e3, 2.5, 4e6))
	l.NetworkNs = func() float64 {
		if l.sent.startNs < 30e9 {
			return calm()
		}
		return wild()
	}
	var targets []float64 // each that differs from the one before
	var off float64       // most, between the delay and the target that is held
	looked := 0.0
	o := run(t, l, 600, func(s State) {
		if s.Seconds < max(settled, looked+1) {
			return
		}
		looked = s.Seconds
		target := l.ServoStatus().TargetFrames
		if n := len(targets); n == 0 || targets[n-1] != target {
			targets = append(targets, target)
			if s.Seconds > 200 {
				t.Errorf("target %.0f at %.0f s", target, s.Seconds)
			}
		}
		if s.Seconds > 210 {
			off = max(off, math.Abs(s.TrueDelay-target))
		}
	})
	t.Logf("targets %.0f, then at most %.2f frames off", targets, off)
	if len(targets) < 3 || !slices.IsSorted(targets) || off > 4 {
		t.Errorf("targets %.0f, want several, each larger than before; then %.2f frames off", targets, off)
	}
	for _, at := range o.seeks[1:] {
		if at > 200 {
			t.Errorf("still moving at %.0f s", at)
		}
	}
	if o.status.JitterFrames < 48 {
		t.Errorf("allowance %d frames; a delay of up to 4 ms needs more", o.status.JitterFrames)
	}
}

func TestFixedLatencyIsHeldHoweverThePacketsCome(t *testing.T) {
	r := NewRandom(8)
	l := link(r, 100)
	l.Servo.LatencyFrames = 128
	l.NetworkNs = Sum(l.NetworkNs, r.Pareto(20e3, 1.5, 20e6))
	o := run(t, l, 120)
	if o.status.TargetFrames != 128 || len(o.seeks) != 1 || o.wander() > 4 {
		t.Errorf("target %.0f, %d seeks, wander %.2f", o.status.TargetFrames, len(o.seeks), o.wander())
	}
}

func TestKnownJitterGivesSoundAfter100ms(t *testing.T) {
	l := link(NewRandom(9), 0)
	l.Servo.JitterFrames = 32
	if o := run(t, l, 12); o.first > 1.25 {
		t.Errorf("first sound after %.2f s", o.first-1)
	}
}

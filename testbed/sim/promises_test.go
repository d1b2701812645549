package sim

import (
	"fmt"
	"math"
	"testing"

	"archibald-bridge/testbed/gate"
)

// triangle is a clock that wanders between -most and +most, by ppm per minute.
func triangle(most, ppmPerMinute float64) func(float64) float64 {
	quarter := most / ppmPerMinute * 60
	return func(seconds float64) float64 {
		x := math.Mod(seconds/quarter, 4)
		switch {
		case x < 1:
			return most * x
		case x < 3:
			return most * (2 - x)
		}
		return most * (x - 4)
	}
}

// The clocks' difference changes all day (in make test, for a third of one), and packets come with 0.3 ms of jitter.
func TestADayOfChangingDriftMovesTheLatencyByLessThanAFrame(t *testing.T) {
	r := NewRandom(21)
	l := &Link{
		Sender:    Graph{RateHz: 48000, PeriodFrames: 256, PPM: func(s float64) float64 { return triangle(200, 1)(s + 3*3600) }, WakeNs: r.Wake(20e3, 20e3)},
		Receiver:  Graph{RateHz: 48000, PeriodFrames: 256, WakeNs: r.Wake(20e3, 20e3)},
		NetworkNs: r.Wake(30e3, 300e3),
	}
	l.Servo.LatencyFrames = 1024
	o := run(t, l, gate.Soak(8*3600.0, 24*3600))
	if o.wander() >= 1 || len(o.seeks) != 1 {
		t.Errorf("wander %.2f frames, %d seeks; want < 1 and 1", o.wander(), len(o.seeks))
	}
}

const tenthOfACent = 57.8 // ppm

func TestFastClocksAreAcquiredInTwoSeconds(t *testing.T) {
	for _, period := range []int{32, 64, 256} {
		for _, ppm := range []float64{-500, 500} {
			t.Run(fmt.Sprintf("%d frames %+.0f ppm", period, ppm), func(t *testing.T) {
				l := link(NewRandom(22), ppm)
				l.Sender.PeriodFrames, l.Receiver.PeriodFrames = period, period
				worst, settledAt, target := 0.0, math.Inf(1), 0.0
				if err := l.Run(60, func(s State) {
					if !s.Cycle.Playing {
						return
					}
					pitch := math.Abs((s.Cycle.Ratio-1)*1e6 - ppm)
					target = l.ServoStatus().TargetFrames
					if off := math.Abs(l.ServoStatus().DelayFrames - target); off > 1 || pitch > tenthOfACent {
						settledAt = math.Inf(1)
					} else if math.IsInf(settledAt, 1) {
						settledAt = s.Seconds - 1
					}
					if s.Seconds > 3 {
						worst = max(worst, pitch)
					}
				}); err != nil {
					t.Fatal(err)
				}
				t.Logf("settled %.2f s after the first packet, then at most %.2f ppm off", settledAt, worst)
				if settledAt > 2 || worst > tenthOfACent {
					t.Errorf("settled after %.2f s, pitch %.1f ppm off; want <= 2 s, <= %v ppm", settledAt, worst, tenthOfACent)
				}
			})
		}
	}
}

// The sender's graph is busier at times: that must not move the latency.
func TestLoadOfTheSendersGraphDoesNotMoveTheLatency(t *testing.T) {
	r := NewRandom(23)
	l := link(r, 70)
	l.Servo.LatencyFrames = 128
	busy := func() float64 {
		if math.Mod(l.Sender.startNs*1e-9, 20) < 10 {
			return 400e3
		}
		return 0
	}
	l.GraphNs = busy
	o := run(t, l, 120)
	if o.wander() > 1 || o.counters.DiscardedLate > 0 || len(o.seeks) != 1 {
		t.Errorf("wander %.2f frames, %d late packets, %d seeks", o.wander(), o.counters.DiscardedLate, len(o.seeks))
	}
}

func TestLatencyIsTheSameAfterEachOfTwentyReconnects(t *testing.T) {
	least, most := math.Inf(1), math.Inf(-1)
	jitter := 0
	for i := range 21 {
		l := link(NewRandom(uint64(100+i)), 100)
		l.Servo.JitterFrames = jitter
		l.Receiver.StartNs = 1e3 + float64(i)*61e3
		sum, n := 0.0, 0.0
		if err := l.Run(30, func(s State) {
			if s.Cycle.Playing && s.Seconds > 5 {
				sum, n = sum+s.TrueDelay, n+1
			}
		}); err != nil {
			t.Fatal(err)
		}
		jitter = l.ServoStatus().JitterFrames
		least, most = min(least, sum/n), max(most, sum/n)
	}
	t.Logf("mean delays %.2f to %.2f frames", least, most)
	if most-least > 1 {
		t.Errorf("delays from %.2f to %.2f frames", least, most)
	}
}

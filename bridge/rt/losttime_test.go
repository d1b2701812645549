package rt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// jackd2's dummy driver after an xrun: the frame counter goes on by a period,
// the cycles go on from a later time.
func TestAGraphThatReanchorsLosesExactlyTheTimeThatPassed(t *testing.T) {
	for _, lostPeriods := range []float64{1, 1.25, 1.5, 2, 3.3, 10, 100.7} {
		t.Run(fmt.Sprintf("%v periods lost", lostPeriods), func(t *testing.T) {
			eachPeriod(t, func(t *testing.T, g *graph) {
				g.steady(1000)
				g.ns += lostPeriods * g.periodNs()
				lost := int64(math.Round(lostPeriods * float64(g.period)))
				g.settle(lost, 3000)
				counters := g.v.Counters()
				wantCount(t, "skips", counters.Received.Skips, 1)
				wantCount(t, "skips sent", counters.Sent.Skips, 1)
				if got := int64(counters.Sent.SkippedFrames); got < lost-1 || got > lost+1 {
					t.Errorf("skipped frames: got %d, want %d", got, lost)
				}
			})
		})
	}
}

func TestReanchorsInARowAddUp(t *testing.T) {
	eachPeriod(t, func(t *testing.T, g *graph) {
		r := rand.New(rand.NewPCG(1, uint64(g.period)))
		g.steady(1000)
		for range 20 {
			lostPeriods := 1 + 5*r.Float64()
			g.ns += lostPeriods * g.periodNs()
			g.settle(int64(math.Round(lostPeriods*float64(g.period))), 2+r.IntN(40))
		}
	})
}

// What the late wake-ups made too much of the loss is taken back, within 20 ms.
func TestAServerThatWakesUpLateAfterItLostTimeIsCountedRight(t *testing.T) {
	for _, lateNs := range []float64{100e3, 300e3, 900e3} {
		eachPeriod(t, func(t *testing.T, g *graph) {
			g.steady(2 * 48000 / g.period)
			g.ns += 3.5 * g.periodNs()
			g.expected += 7 * int64(g.period) / 2
			until := g.ns + 10e6
			for range max(8, 960/g.period) + g.confirmCycles() + 3 {
				late := 0.0
				if g.ns <= until {
					late = lateNs
				}
				g.cycle(late)
				g.expected += int64(g.period)
			}
			got := g.cycle(0)
			if d := got - g.expected; d < -1 || d > 1 {
				t.Fatalf("late by %v ns: timestamp says %d frames, %d have passed", lateNs, got, g.expected)
			}
			g.expected = got + int64(g.period)
			g.steady(2000)
			counters := g.v.Counters()
			wantCount(t, "skips", counters.Received.Skips, 1)
			wantCount(t, "skips sent", counters.Sent.Skips, 1)
		})
	}
}

// jackd2's dummy driver when a cycle comes a period and a bit too late: the next one
// follows at once, and from the one after that on the grid has moved by the bit.
func TestAServerThatLosesLessThanAPeriodIsCounted(t *testing.T) {
	for _, lostFrames := range []int64{5, 12, 47} {
		eachPeriod(t, func(t *testing.T, g *graph) {
			if lostFrames >= int64(g.period) {
				return
			}
			g.steady(2 * 48000 / g.period)
			lostNs := float64(lostFrames) * 1e9 / 48000
			g.cycle(g.periodNs() + lostNs)
			g.ns += lostNs
			g.cycle(-70e3)
			g.expected += 2*int64(g.period) + lostFrames
			for range max(8, 960/g.period) + g.confirmCycles() + 3 {
				g.cycle(0)
				g.expected += int64(g.period)
			}
			got := g.cycle(0)
			if d := got - g.expected; d < -1 || d > 1 {
				t.Fatalf("%d frames lost: timestamp says %d frames, %d have passed", lostFrames, got, g.expected)
			}
			g.expected = got + int64(g.period)
			g.steady(2000)
			wantCount(t, "skips", g.v.Counters().Received.Skips, 1)
		})
	}
}

// A client that is called so late that the server is one cycle further reads the
// same frame number in two calls.
func TestACycleWhoseNumberWasReadTwiceLosesNothing(t *testing.T) {
	eachPeriod(t, func(t *testing.T, g *graph) {
		g.steady(2 * 48000 / g.period)
		g.frame += uint64(g.period)
		g.ns += g.periodNs()
		g.expected += int64(g.period)
		if got := g.cycle(1e3); got != g.expected {
			t.Fatalf("timestamp says %d frames, %d have passed", got, g.expected)
		}
		g.frame -= uint64(g.period)
		g.ns -= g.periodNs()
		g.steady(3000)
	})
}

// A second re-anchor before the first one could be told from a late wake-up.
func TestTwoReanchorsInSuccessiveCyclesAddUp(t *testing.T) {
	eachPeriod(t, func(t *testing.T, g *graph) {
		g.steady(1000)
		g.ns += 2 * g.periodNs()
		g.cycle(0)
		g.expected += int64(g.period)
		g.ns += 3 * g.periodNs()
		g.settle(5*int64(g.period), 1000)
	})
}

// PipeWire after a stall: the cycles that were due run back to back.
func TestACaughtUpBurstAddsNothing(t *testing.T) {
	for name, idealTime := range map[string]bool{"graph states ideal times": true, "graph states late times": false} {
		t.Run(name, func(t *testing.T) {
			for _, stallPeriods := range []float64{1.2, 2, 4.7, 12} {
				eachPeriod(t, func(t *testing.T, g *graph) {
					g.steady(1000)
					resume := g.ns + stallPeriods*g.periodNs()
					for runsAt := resume; runsAt > g.ns; runsAt += 20e3 {
						late := 0.0
						if !idealTime {
							late = runsAt - g.ns
						}
						if got := g.cycle(late); got != g.expected {
							t.Fatalf("stall of %.1f periods, cycle late by %.0f ns: timestamp says %d frames, %d have passed",
								stallPeriods, late, got, g.expected)
						}
						g.expected += int64(g.period)
					}
					g.steady(2000)
					wantCount(t, "skips", g.v.Counters().Received.Skips, 0)
				})
			}
		})
	}
}

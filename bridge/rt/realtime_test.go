package rt

import (
	"testing"
)

// A graph that ran as fast as it could for a while, for an export: its counter is
// somewhere else, and the stream goes on where real time is.
func TestAGraphThatLeftRealTimeGoesOnByTheTimeThatWentBy(t *testing.T) {
	for name, counted := range map[string]float64{"faster": 15, "slower": 0.1, "not at all": 0, "back to the beginning": -2} {
		for _, seconds := range []float64{0.05, 3, 60} {
			t.Run(name, func(t *testing.T) {
				eachPeriod(t, func(t *testing.T, g *graph) {
					g.steady(1000)
					g.v.Advance(0, 0, 0)
					if sent := g.v.Capture([][]float32{make([]float32, g.period)}, g.frame, int64(g.ns)); len(sent) != 0 {
						t.Errorf("%d packets from a graph without time", len(sent))
					}
					g.ns += seconds * 1e9
					g.frame += uint64(int64(counted * seconds * 48000))
					g.expected += int64(seconds * 48000)
					got := g.cycle(0)
					if d := got - g.expected; d < -1 || d > 1 {
						t.Errorf("%d frames after %v s, want %d", got, seconds, g.expected)
					}
					g.expected = got + int64(g.period)
					g.steady(1000)
					counters := g.v.Counters()
					wantCount(t, "skips", counters.Received.Skips, 0)
				})
			})
		}
	}
}

package sim

import "math"

// Graph is one audio server's clock and its faults.
type Graph struct {
	RateHz       int
	PeriodFrames int
	// PPM is how fast its clock runs, at a virtual time in seconds.
	PPM func(seconds float64) float64
	// WakeNs draws how late a cycle's callback runs; never negative.
	WakeNs func() float64
	// LostNs draws how much time the server loses before a cycle: it
	// re-anchors, and its frame counter does not tell. Mostly 0.
	LostNs func() float64
	// StartNs is when the first cycle begins, beyond the first second.
	StartNs float64

	startNs      float64
	cycles       uint64
	framesPlayed uint64
}

// cycle is one period of a graph.
type cycle struct {
	frame      uint64  // the graph's frame counter
	startNs    float64 // when it should begin
	callbackNs float64 // when the callback runs
}

// next advances the graph by one cycle.
func (g *Graph) next() cycle {
	c := cycle{frame: g.framesPlayed, startNs: g.startNs}
	if g.LostNs != nil {
		if lost := g.LostNs(); lost > 0 {
			c.startNs += lost
		}
	}
	c.callbackNs = c.startNs
	if g.WakeNs != nil {
		c.callbackNs += math.Max(0, g.WakeNs())
	}
	g.startNs = c.startNs + float64(g.PeriodFrames)/g.framesPerNs()
	g.framesPlayed += uint64(g.PeriodFrames)
	g.cycles++
	return c
}

func (g *Graph) framesPerNs() float64 {
	ppm := 0.0
	if g.PPM != nil {
		ppm = g.PPM(g.startNs * 1e-9)
	}
	return float64(g.RateHz) * 1e-9 * (1 + ppm*1e-6)
}

// Steady is a clock that is off by a constant.
func Steady(ppm float64) func(float64) float64 { return func(float64) float64 { return ppm } }

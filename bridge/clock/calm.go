package clock

// calm is what the jitter margin has to cover when nothing is wrong: the largest delay
// variation of each span of time. From it the margin is looked at once more.
type calm struct {
	spanNs int64
	peaks  pdvDistribution // of the spans
	fromNs int64           // of the span under way
	peak   float64         // frames
	open   bool
	before float64 // peak of the span before, which counts when the one under way is over
	held   bool    // there is one
}

// add takes the delay variation of a packet group, in frames.
func (c *calm) add(frames float64, timeNs int64) {
	if !c.open {
		c.open, c.fromNs, c.peak = true, timeNs, frames
		return
	}
	if timeNs-c.fromNs < c.spanNs {
		c.peak = max(c.peak, frames)
		return
	}
	if c.held {
		c.peaks.add(c.before)
	}
	c.before, c.held = c.peak, true
	c.fromNs, c.peak = timeNs, frames
}

// drop forgets the newest spans: a server lost time in them, or a stall was longer than any
// margin.
func (c *calm) drop() { c.open, c.held = false, false }

// margin is the least that would have kept a number of gaps an hour, in frames.
func (c *calm) margin(perHour float64) float64 {
	return c.peaks.leaving(perHour * c.peaks.n * float64(c.spanNs) / hourNs)
}

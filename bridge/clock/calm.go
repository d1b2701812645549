package clock

// calm is what the jitter margin has to cover when nothing is wrong: the largest delay
// variation of each span of time. From it the margin is looked at once more.
type calm struct {
	spanNs int64
	peaks  pdvDistribution // of the spans
	since  int             // spans of them since the last gap
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
		c.since++
	}
	c.before, c.held = c.peak, true
	c.fromNs, c.peak = timeNs, frames
}

// drop forgets the newest spans: a server lost time in them, or a stall was longer than any
// margin.
func (c *calm) drop() { c.open, c.held = false, false }

// gap notes that there was a gap: how much was seen since then counts from here on.
func (c *calm) gap() { c.since = 0 }

// enough says that calm time was not only time that went by: in most of it packets came, and
// the servers ran.
func (c *calm) enough() bool { return int64(c.since)*c.spanNs >= int64(calmSeen) }

// seenNs is how much time all spans are.
func (c *calm) seenNs() int64 { return int64(c.peaks.n) * c.spanNs }

// margin is the least that would have kept a number of gaps an hour, in frames.
func (c *calm) margin(perHour float64) float64 {
	return c.peaks.leaving(perHour * c.peaks.n * float64(c.spanNs) / hourNs)
}

package clock

import "archibald-bridge/bridge/stream"

// recentCycles keeps the newest cycles: an observation of a packet may come some cycles after
// the packet, where repeats are sent or packets are decoded.
type recentCycles struct {
	newest [8]stream.Observation
	n      int
}

func (c *recentCycles) add(o stream.Observation) {
	c.newest[c.n%len(c.newest)] = o
	c.n++
}

// neededBy is the stream position up to which the cycles that had begun before a time had to
// have all frames. ok is false if that is not known.
func (c *recentCycles) neededBy(ns int64) (position int64, ok bool) {
	for back := 1; back <= min(c.n, len(c.newest)); back++ {
		o := c.newest[(c.n-back)%len(c.newest)]
		if o.TimeNs >= ns {
			continue
		}
		last := o.PositionFraction + (float64(o.Frames)-1)*o.Ratio
		return o.Position + int64(last) + 1, o.Playing && o.Frames > 0
	}
	return 0, false
}

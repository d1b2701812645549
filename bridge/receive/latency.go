package receive

import "time"

// Latency is the one-way latency that is wanted; the zero value: found by measuring.
type Latency struct {
	Frames   int // of this end's graph; 0: as Duration says
	Duration time.Duration
}

// Asked says that a latency is wanted, and none is to be found.
func (l Latency) Asked() bool { return l != Latency{} }

// FramesAt returns the latency in frames at a sample rate, rounded to the nearest, where
// this end's graph has the rate graphHz; 0: found by measuring.
func (l Latency) FramesAt(rateHz, graphHz int) int {
	if l.Frames > 0 && rateHz == graphHz { // neither need be known
		return l.Frames
	}
	if l.Frames > 0 {
		return max(1, (l.Frames*rateHz+graphHz/2)/graphHz)
	}
	return int((l.Duration*time.Duration(rateHz) + time.Second/2) / time.Second)
}

package interop

import (
	"fmt"

	"archibald-bridge/testbed/signal"
)

// gstreamerOrder is where GStreamer has the channels of 7.1 that are on the wire: its
// own order is FL FR FC LFE RL RR SL SR, on the wire the sides come before the rear.
var gstreamerOrder = [8]int{0, 1, 2, 3, 6, 7, 4, 5}

// source is the channel that was played and is heard in another one; the same, but for
// the two pairs that GStreamer moves.
func (c Case) source(channel int) int {
	if c.Peer == GStreamer && c.Channels == len(gstreamerOrder) {
		return gstreamerOrder[channel]
	}
	return channel
}

// misplaced says what is heard in a channel in place of its noise.
func (r *Result) misplaced(samples []float32, seed uint64, channel int) string {
	for other := range r.Channels {
		if isTone(r.Case, other) {
			continue
		}
		for _, run := range signal.BitExact(reference(r.Case, seed, other, framesPlayed(r.Case)), samples) {
			if run.Equal && run.Length >= least(r.Case) {
				return fmt.Sprintf("channel %d has the sound of channel %d, not of channel %d", channel+1, other+1, r.source(channel)+1)
			}
		}
	}
	return fmt.Sprintf("channel %d has nothing of the sound of channel %d", channel+1, r.source(channel)+1)
}

package stream

// MaxRepeatFrames is the most that passes from the first packet of a period to the last
// repeat of the period: the receiver's buffer, and its memory of sequence numbers, are
// not longer.
const MaxRepeatFrames = 8192

// Repeats is what a sender repeats: each packet goes out Copies more times, the
// same bytes under the same sequence number, each time DistanceFrames of its
// graph's time later. 0: at once.
type Repeats struct{ Copies, DistanceFrames int }

// SpanFrames is how much later than the packet its last repeat comes.
func (r Repeats) SpanFrames() int { return r.Copies * r.DistanceFrames }

// RepeatsOf turns a distance in periods of the sender, or in packets, into frames. If the
// repeats exceed MaxRepeatFrames, it shortens the distance to the longest that does not.
func RepeatsOf(copies, distance, unitFrames int) Repeats {
	if copies == 0 || unitFrames == 0 {
		return Repeats{Copies: copies}
	}
	longest := max(0, MaxRepeatFrames/unitFrames-1) / copies
	return Repeats{Copies: copies, DistanceFrames: min(distance, longest) * unitFrames}
}

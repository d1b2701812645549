package proto

import "cmp"

// Bounds of whole-packet repetition.
const (
	MaxRedundancy         = 2
	MaxRedundancyDistance = 8 // periods

	// MaxRepeatFrames is the most that passes from the first packet of a period
	// to the last repeat of the period: the receiver's buffer, and its memory of
	// sequence numbers, are not longer.
	MaxRepeatFrames = 8192
)

// Repeats is what a sender repeats: each packet goes out Copies more times, the
// same bytes under the same sequence number, each time DistanceFrames of its
// graph's time later. 0: at once.
type Repeats struct{ Copies, DistanceFrames int }

// RepeatsOf counts a distance in periods of the sender in frames. One that
// exceeds MaxRepeatFrames is shortened to as many periods as do not.
func RepeatsOf(copies, distancePeriods, periodFrames int) Repeats {
	if copies == 0 || periodFrames == 0 {
		return Repeats{Copies: copies}
	}
	longest := max(0, MaxRepeatFrames/periodFrames-1) / copies
	return Repeats{Copies: copies, DistanceFrames: min(distancePeriods, longest) * periodFrames}
}

// SpanFrames is how much later than the packet its last repeat comes.
func (r Repeats) SpanFrames() int { return r.Copies * r.DistanceFrames }

// agreedRedundancy is the larger of the two ends' wishes, taken whole: more
// copies, or as many farther apart. None if one end knows no repetition.
func agreedRedundancy(a, b Description) (copies, distance int) {
	if a.PeriodFrames == 0 || b.PeriodFrames == 0 {
		return 0, 0
	}
	if cmp.Or(cmp.Compare(a.Redundancy, b.Redundancy), cmp.Compare(a.RedundancyDistance, b.RedundancyDistance)) < 0 {
		a = b
	}
	if a.Redundancy == 0 {
		return 0, 0
	}
	return a.Redundancy, a.RedundancyDistance
}

package proto

import "cmp"

// Bounds of whole-packet repetition.
const (
	MaxRedundancy         = 2
	MaxRedundancyDistance = 8 // periods
)

// Redundancy is a wish for whole-packet repetition: how many times each packet is sent
// again, 0 to MaxRedundancy, and how many periods of the sender apart (of Opus,
// packets), 0 to MaxRedundancyDistance. 0: at once.
type Redundancy struct{ Copies, Distance int }

// agreedRedundancy is the larger of the two ends' wishes, taken whole: more
// copies, or as many farther apart. None if one end knows no repetition.
func agreedRedundancy(a, b Description) Redundancy {
	if a.PeriodFrames == 0 || b.PeriodFrames == 0 {
		return Redundancy{}
	}
	larger := a.Redundancy
	if cmp.Or(cmp.Compare(larger.Copies, b.Redundancy.Copies), cmp.Compare(larger.Distance, b.Redundancy.Distance)) < 0 {
		larger = b.Redundancy
	}
	if larger.Copies == 0 {
		return Redundancy{}
	}
	return larger
}

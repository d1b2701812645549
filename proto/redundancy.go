package proto

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
)

const attrRedundancy = "x-archibald-redundancy" // N distance=K period=FRAMES

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

// writeRedundancy says it, of an end that knows repetition.
func (d Description) writeRedundancy(media *sdp.MediaDescription) {
	if d.PeriodFrames != 0 {
		media.WithValueAttribute(attrRedundancy, fmt.Sprintf("%d distance=%d period=%d", d.Redundancy.Copies, d.Redundancy.Distance, d.PeriodFrames))
	}
}

// readRedundancy reads the wish for repetition of an end that knows it.
func (d *Description) readRedundancy(scope sdpScope) error {
	line, found := scope.attribute(attrRedundancy)
	if !found {
		return nil
	}
	number := map[string]string{}
	for i, field := range strings.Fields(line.value) {
		key, text, _ := strings.Cut(field, "=")
		if i == 0 {
			key, text = "", field
		}
		number[key] = text
	}
	for _, read := range []struct {
		into      *int
		key       string
		low, high int
	}{
		{&d.Redundancy.Copies, "", 0, MaxRedundancy},
		{&d.Redundancy.Distance, "distance", 0, MaxRedundancyDistance},
		{&d.PeriodFrames, "period", 1, maxPeriodFrames},
	} {
		var err error
		if *read.into, err = parseInt(line.number, strings.TrimSpace(attrRedundancy+" "+read.key), number[read.key], read.low, read.high, ""); err != nil {
			return err
		}
	}
	return nil
}

package proto

import (
	"strings"

	"github.com/pion/sdp/v3"
)

// Terms are what holds for both directions of a session: in a description what its end
// wants or knows, in an Agreement what both ends do. A new one is a field here, with how
// it is written, read and agreed on; a session hands all of them on as they are.
type Terms struct {
	// Redundancy is what is sent again.
	Redundancy Redundancy
	// SendDelay says that packets have the header extension that tells how late they
	// left.
	SendDelay bool
	// AnyRate says that a stream may have another sample rate than the graph that plays it:
	// each end sends at its own, and resamples what comes.
	AnyRate bool
}

// attrRates is written by ends that resample. "any" is its only value; others are of no
// use to us.
const (
	attrRates = "x-archibald-rates"
	ratesAny  = "any"
)

// latenessExtension is the value of the extmap that names the lateness (RFC
// 8285, section 5); its id is always 1.
const latenessExtension = "1 urn:x-archibald:lateness"

func agreedTerms(a, b Description) Terms {
	return Terms{
		Redundancy: agreedRedundancy(a, b),
		SendDelay:  a.SendDelay && b.SendDelay,
		AnyRate:    a.AnyRate && b.AnyRate,
	}
}

// writeTerms says them, of an end of ours.
func (d Description) writeTerms(media *sdp.MediaDescription) {
	d.writeRedundancy(media)
	if d.SendDelay {
		media.WithValueAttribute("extmap", latenessExtension)
	}
	if d.AnyRate {
		media.WithValueAttribute(attrRates, ratesAny)
	}
}

// readTerms reads them, of an end of ours.
func (d *Description) readTerms(scope sdpScope) error {
	if d.declarative() {
		return nil
	}
	for line := range scope.attributes("extmap") {
		if strings.Join(strings.Fields(line.value), " ") == latenessExtension {
			d.SendDelay = true
		}
	}
	rates, _ := scope.attribute(attrRates)
	d.AnyRate = rates.value == ratesAny
	return d.readRedundancy(scope)
}

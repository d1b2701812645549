package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// place is the period of both servers at their sample rate.
type place struct{ periodFrames, rateHz int }

// places are those that settings were chosen for.
var places = []place{{64, 48000}, {32, 48000}, {32, 96000}, {256, 48000}}

// parsePlaces reads places as they are written on the command line: "64,32@96000"; a
// period alone is at 48 kHz.
func parsePlaces(text string) ([]place, error) {
	var all []place
	for one := range strings.SplitSeq(text, ",") {
		found := false
		for _, p := range places {
			if one == p.String() || one == fmt.Sprintf("%d@%d", p.periodFrames, p.rateHz) {
				all, found = append(all, p), true
			}
		}
		if !found {
			var legal []string
			for _, p := range places {
				legal = append(legal, p.String())
			}
			return nil, fmt.Errorf("-periods %q: legal are %s", one, strings.Join(legal, ", "))
		}
	}
	return all, nil
}

func (p place) String() string {
	if p.rateHz == 48000 {
		return strconv.Itoa(p.periodFrames)
	}
	return fmt.Sprintf("%d@%d", p.periodFrames, p.rateHz)
}

// period is how long one cycle lasts.
func (p place) period() time.Duration {
	return time.Duration(p.periodFrames) * time.Second / time.Duration(p.rateHz)
}

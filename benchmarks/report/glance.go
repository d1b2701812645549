package main

import (
	"fmt"
	"strings"

	"archibald-bridge/benchmarks/results"
)

// glancePlace is that of the README's figure.
var glancePlace = place{64, headlineRateHz}

// glance is the block of the README: one figure, and one sentence for each of the
// two settings of ours.
func glance(d data) string {
	if len(d.sets) == 0 {
		return notMeasured
	}
	set := d.sets[0]
	all := results.Summarise(set.Runs)
	curves := results.Curves(all)
	if len(points(curves, glancePlace)) == 0 {
		return fmt.Sprintf("%v: not measured.\n", glancePlace)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "![Latency against gaps, %s](%s)\n\n", inSentence(glancePlace), plotPath(curvePlot, glancePlace))
	fmt.Fprintf(&b, "Round trip and gaps at period %d, 48 kHz, stereo, with clocks that differ except where a system slaves one.", glancePlace.periodFrames)
	for _, c := range choose(all, glancePlace) {
		if s := c.summary; c.system == results.Ours && c.why == "" {
			how := "With `--latency " + s.Setting + "`"
			if s.Slaved {
				how = "Locked, " + s.Setting
			}
			fmt.Fprintf(&b, " %s: %.1f frames (%.2f ms), %s gaps a minute.",
				how, s.RoundTripFrames.Median, 1000*s.RoundTripFrames.Median/float64(s.RateHz), gaps(s))
		}
	}
	fmt.Fprintf(&b, "\n%s Measured on %s.\n", verdict(curves, glancePlace), machine(set.Machine))
	return b.String()
}

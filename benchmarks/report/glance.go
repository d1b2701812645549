package main

import (
	"fmt"
	"strings"

	"archibald-bridge/benchmarks/results"
)

// glancePeriod is the period of the README's figure.
const glancePeriod = 64

// glance is the block of the README: one figure, and one sentence for each of the
// two settings of ours.
func glance(d data) string {
	if len(d.sets) == 0 {
		return notMeasured
	}
	set := d.sets[0]
	all := results.Summarise(set.Runs)
	curves := results.Curves(all)
	if len(points(curves, glancePeriod)) == 0 {
		return fmt.Sprintf("Period %d: not measured.\n", glancePeriod)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "![Latency against gaps, period %d](%s)\n\n", glancePeriod, plotPath(curvePlot, glancePeriod))
	fmt.Fprintf(&b, "Round trip and gaps at period %d, 48 kHz, stereo, with clocks that differ except where a system slaves one.", glancePeriod)
	for _, c := range choose(all, glancePeriod) {
		if s := c.summary; c.system == results.Ours && c.why == "" {
			fmt.Fprintf(&b, " With `--latency %s`: %.1f frames (%.2f ms), %s gaps a minute.",
				s.Setting, s.RoundTripFrames.Median, 1000*s.RoundTripFrames.Median/float64(s.RateHz), gaps(s))
		}
	}
	fmt.Fprintf(&b, "\n%s Measured on %s.\n", verdict(curves, glancePeriod), machine(set.Machine))
	return b.String()
}

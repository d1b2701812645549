package main

import (
	"fmt"
	"strings"

	"archibald-bridge/benchmarks/results"
)

// headline is the first part of docs/comparison.md: the newest machine's figures,
// each system at the settings that speak best for it.
func headline(d data) string {
	if len(d.sets) == 0 {
		return notMeasured
	}
	set := d.sets[0]
	var b strings.Builder
	fmt.Fprintf(&b, "`make bench-peers` on %s: 48 kHz stereo, all systems in turn, the clocks of the two sides apart except where a system slaves one. Measured:\n\n", machine(set.Machine))
	for _, f := range set.Files {
		fmt.Fprintf(&b, "- %s, a bare timer late by %s: [%s](../benchmarks/results/%[3]s)\n", f.Date, timer(f), f.Name)
	}
	all := results.Summarise(set.Runs)
	curves := results.Curves(all)
	for _, period := range headlinePeriods {
		if len(at(all, period)) == 0 {
			fmt.Fprintf(&b, "\nPeriod %d, goal %.0f frames: not measured.\n", period, goalFrames[period])
			continue
		}
		fmt.Fprintf(&b, "\nPeriod %d, goal %.0f frames:\n\n", period, goalFrames[period])
		b.WriteString(head("", "setting", "round trip, frames (of repeats)", "repeats", "gaps it caused per minute", "with sound", "CPU"))
		choices := choose(all, period)
		for _, c := range choices {
			b.WriteString(headlineRow(c))
		}
		b.WriteString("\n" + verdict(curves, period) + "\n")
		b.WriteString(byItself(choices))
		if len(points(curves, period)) > 0 {
			fmt.Fprintf(&b, "\n![Latency against gaps, period %d](%s)\n", period, fromDocs(plotPath(curvePlot, period)))
		}
	}
	return b.String()
}

func headlineRow(c choice) string {
	if c.why != "" {
		return row(c.label, "", c.why, "", "", "", "")
	}
	s := c.summary
	if s.Slaved {
		c.label += " (slaved)"
	}
	return row(c.label, code(s.Setting), roundTrip(s), repeats(s), gaps(s), percent(s.SoundShare.Median), fmt.Sprintf("%.1f %%", s.CPUPercent))
}

// byItself holds what --latency auto caused against the fewest gaps of any peer.
func byItself(choices []choice) string {
	var auto, best *results.Summary
	for i, c := range choices {
		switch s := &choices[i].summary; {
		case c.why != "" || c.system == results.Control:
		case c.system != results.Ours:
			if !s.Works() {
				continue
			}
			if best == nil || s.CausedGapsPerMinute < best.CausedGapsPerMinute {
				best = s
			}
		case s.Auto():
			auto = s
		}
	}
	if auto == nil {
		return ""
	}
	text := fmt.Sprintf("\n`--latency auto` settled at %.1f frames and caused %.2f dropouts in 10,000 cycles, %s a minute",
		auto.RoundTripFrames.Median, auto.CausedPer10000, gaps(*auto))
	if best != nil {
		text += fmt.Sprintf("; the fewest of any peer are %s a minute (%s %s)", gaps(*best), best.System, code(best.Setting))
	}
	return text + ".\n"
}

// verdict says which peers' curves ours lies below at a period.
func verdict(curves []results.Curve, period int) string {
	var below, not, mute, silent []string
	for _, c := range headlineCurves(curves, period) {
		if c.System == results.Ours {
			continue
		}
		us, found := results.Match(curves, c.Line)
		if len(c.Mute) > 0 {
			mute = append(mute, fmt.Sprintf("%s (%s)", c.System, plural(len(c.Mute), "setting")))
		}
		switch {
		case len(c.Points) == 0 && len(c.Mute) > 0:
		case len(c.Points) == 0:
			silent = append(silent, c.System)
		case !found || len(us.Points) == 0:
			return "Nothing of ours to hold the others against."
		default:
			if above := results.Above(us, c); len(above) > 0 {
				not = append(not, fmt.Sprintf("%s (%d of %s)", c.System, len(above), plural(len(c.Points), "setting")))
			} else {
				below = append(below, fmt.Sprintf("%s (%s)", c.System, plural(len(c.Points), "setting")))
			}
		}
	}
	text := fmt.Sprintf("Our curve lies below that of: %s. Not below that of: %s.", list(below), list(not))
	if len(mute) > 0 {
		text += fmt.Sprintf(" Without sound for more than 5 %% of the time, which is no curve: %s.", list(mute))
	}
	if len(silent) > 0 {
		text += fmt.Sprintf(" Without a curve: %s.", list(silent))
	}
	return text
}

// headlineCurves are those that the headline compares.
func headlineCurves(curves []results.Curve, period int) []results.Curve {
	var kept []results.Curve
	for _, c := range curves {
		if c.PeriodFrames == period && c.RateHz == headlineRateHz && c.Channels == headlineChannels {
			kept = append(kept, c)
		}
	}
	return kept
}

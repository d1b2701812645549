package main

import (
	"fmt"
	"slices"
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
	for _, p := range headlinePlaces {
		if len(at(all, p)) == 0 {
			if p.rateHz == headlineRateHz {
				fmt.Fprintf(&b, "\n%v, goal %.0f frames: not measured.\n", p, goalFrames[p])
			}
			continue
		}
		fmt.Fprintf(&b, "\n%v, goal %.0f frames:\n\n", p, goalFrames[p])
		choices := choose(all, p)
		b.WriteString(headlineTable(choices))
		b.WriteString("\n" + verdict(curves, p) + "\n")
		b.WriteString(byItself(choices))
		if len(points(curves, p)) > 0 {
			fmt.Fprintf(&b, "\n![Latency against gaps, %v](%s)\n", inSentence(p), fromDocs(plotPath(curvePlot, p)))
		}
	}
	return b.String()
}

// headlineTable has the columns that something was measured for.
func headlineTable(choices []choice) string {
	var watched, woken, inTime bool
	for _, c := range choices {
		watched = watched || c.why == "" && c.summary.Watched
		woken = woken || c.why == "" && c.summary.WakeUpsPerPeriod > 0
		inTime = inTime || c.why == "" && c.summary.InTimeShare != nil
	}
	columns := []string{"", "setting", "round trip, frames (of repeats)", "repeats", "gaps it caused per minute (95 %)"}
	if watched {
		columns = append(columns, "gaps when a processor stood still")
	}
	columns = append(columns, "with sound", "CPU")
	if woken {
		columns = append(columns, "wake-ups and system calls a period")
	}
	if inTime {
		columns = append(columns, "answered in time (worst)")
	}
	var b strings.Builder
	b.WriteString(head(slices.Clone(columns)...))
	for _, c := range choices {
		s := c.summary
		cells := []string{c.label, "", c.why}
		if c.why == "" {
			if s.Slaved && c.system != results.Ours {
				cells[0] += " (slaved)"
			}
			cells = append(cells[:1], code(s.Setting), roundTrip(s), repeats(s), gapsBetween(s))
			if watched {
				cells = append(cells, stalledGaps(s))
			}
			cells = append(cells, percent(s.SoundShare.Median), fmt.Sprintf("%.1f %%", s.CPUPercent))
			if woken {
				cells = append(cells, effort(s))
			}
			if inTime {
				cells = append(cells, answered(s))
			}
		}
		for len(cells) < len(columns) {
			cells = append(cells, "")
		}
		b.WriteString(row(cells...))
	}
	return b.String()
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
		case s.Auto() && !s.Slaved:
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
func verdict(curves []results.Curve, p place) string {
	var below, not, mute, silent []string
	for _, c := range headlineCurves(curves, p) {
		if c.System == results.Ours {
			continue
		}
		us, found := results.Match(curves, c.Line)
		if len(c.Mute) > 0 {
			mute = append(mute, fmt.Sprintf("%s (%s)", curveName(curves, c), plural(len(c.Mute), "setting")))
		}
		switch {
		case len(c.Points) == 0 && len(c.Mute) > 0:
		case len(c.Points) == 0:
			silent = append(silent, curveName(curves, c))
		case !found || len(us.Points) == 0:
			return "Nothing of ours to hold the others against."
		default:
			if above := results.Above(us, c); len(above) > 0 {
				not = append(not, fmt.Sprintf("%s (%d of %s)", curveName(curves, c), len(above), plural(len(c.Points), "setting")))
			} else {
				below = append(below, fmt.Sprintf("%s (%s)", curveName(curves, c), plural(len(c.Points), "setting")))
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
func headlineCurves(curves []results.Curve, p place) []results.Curve {
	var kept []results.Curve
	for _, c := range curves {
		if c.PeriodFrames == p.periodFrames && c.RateHz == p.rateHz && c.Channels == headlineChannels {
			kept = append(kept, c)
		}
	}
	return kept
}

// curveName is the system's, with the servers where it was measured between several.
func curveName(curves []results.Curve, c results.Curve) string {
	for _, other := range curves {
		if other.System == c.System && other.Servers != c.Servers {
			return c.System + " on " + c.Servers
		}
	}
	return c.System
}

// inSentence is a place in the middle of a sentence.
func inSentence(p place) string { return strings.ToLower(p.String()[:1]) + p.String()[1:] }

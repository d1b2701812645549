package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"archibald-bridge/benchmarks/results"
)

const method = `Round trips are jack_iodelay's: the median of a run's readings, then of the repeats, which lie between the figures in
parentheses. A gap counts as caused by a system when no witness tone, played and recorded inside each server at the same
time, has it too. The interval beside the number of gaps is Poisson's exact one for 95 %, right where
gaps come one by one. "With sound" is the share of the run in which the looped tone was there, of the repeats' median and
of the worst one. Our curve lies below another's when for each of its settings there is one of ours with no larger median
round trip and no more caused gaps per minute; the settings for which there is none are listed.
`

// details is the second part of docs/comparison.md: every setting on every
// machine; nothing where nothing was measured.
func details(d data) string {
	if len(d.sets) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n## Every setting\n\n" + method)
	for i, set := range d.sets {
		fmt.Fprintf(&b, "\n### On %s\n\n", machine(set.Machine))
		b.WriteString(provenance(set))
		all := results.Summarise(set.Runs)
		curves := results.Curves(all)
		for from := 0; from < len(all); {
			to := from
			for to < len(all) && group(all[to]) == group(all[from]) {
				to++
			}
			b.WriteString(table(all[from:to]))
			b.WriteString(exceptions(curves, all[from].Key))
			if i == 0 && headlineLine(all[from].Key) {
				b.WriteString(pictures(curves, placeOf(all[from].Key)))
			}
			from = to
		}
		if i == 0 {
			b.WriteString(commands(set, all))
		}
	}
	return b.String()
}

// group is what one table has in common.
func group(s results.Summary) [3]int { return [3]int{s.PeriodFrames, s.RateHz, s.Channels} }

func headlineLine(k results.Key) bool {
	return slices.Contains(headlinePlaces, placeOf(k)) && k.Channels == headlineChannels
}

func placeOf(k results.Key) place { return place{k.PeriodFrames, k.RateHz} }

// provenance lists the files and how far the clocks really ran apart.
func provenance(set results.Set) string {
	var b strings.Builder
	b.WriteString(head("measured", "commit", "bare timer late by", "the same, processors asleep when idle", "load", "raw"))
	for _, f := range set.Files {
		plain := "not measured"
		if late, found := f.Machine.TimerUs["plain"]; found {
			plain = fmt.Sprintf("p99.9 %.0f us", late.P999)
		}
		b.WriteString(row(f.Date, code(f.Commit), timer(f), plain, f.Machine.Load, fmt.Sprintf("[%s](../benchmarks/results/%[1]s)", f.Name)))
	}
	measured := map[float64][]float64{}
	for _, r := range set.Runs {
		if !r.Slaved && r.Error == "" && r.System != results.Control {
			measured[r.SkewPPM] = append(measured[r.SkewPPM], r.SkewMeasuredPPM)
		}
	}
	var skews []float64
	for skew := range measured {
		skews = append(skews, skew)
	}
	slices.Sort(skews)
	var texts []string
	for _, skew := range skews {
		texts = append(texts, fmt.Sprintf("%+.0f (%+.1f to %+.1f)", skew, slices.Min(measured[skew]), slices.Max(measured[skew])))
	}
	fmt.Fprintf(&b, "\nThe host's clock against the guest's in ppm, and as counted in cycles: %s.\n", list(texts))
	return b.String()
}

func table(all []results.Summary) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n#### Period %d, %s, %d Hz\n\n", all[0].PeriodFrames, plural(all[0].Channels, "channel"), all[0].RateHz)
	second := slices.ContainsFunc(all, func(s results.Summary) bool { return s.Watched })
	columns := []string{"system", "setting", "servers", "round trip, frames", "repeats", "gaps it caused per minute (95 %)", "per 10,000 cycles",
		"with sound (worst)", "CPU", "CPU per channel", "packets/s", "kbit/s"}
	if second {
		columns = append(columns, "by `archibald-bridge bench`", "gaps when a processor stood still", "wake-ups and system calls a period", "answered in time (worst)")
	}
	b.WriteString(head(slices.Clone(columns)...))
	for _, s := range all {
		system := s.System
		if s.Slaved {
			system += " (slaved)"
		}
		trip := "no sound came through"
		if s.Heard > 0 {
			trip = roundTrip(s)
		}
		if s.Repeats == 0 {
			cells := []string{system, code(s.Setting), s.Servers, "failed: " + strings.Join(s.Errors, "; "), repeats(s)}
			b.WriteString(row(append(cells, make([]string, len(columns)-len(cells))...)...))
			continue
		}
		cells := []string{system, code(s.Setting), s.Servers, trip, repeats(s), gapsBetween(s), fmt.Sprintf("%.2f", s.CausedPer10000),
			fmt.Sprintf("%s (%s)", percent(s.SoundShare.Median), percent(s.SoundShare.Least)),
			fmt.Sprintf("%.1f %%", s.CPUPercent), fmt.Sprintf("%.2f %%", s.CPUPercent/float64(s.Channels)),
			fmt.Sprintf("%.0f", s.PacketsPerSecond), fmt.Sprintf("%.0f", s.KbitPerSecond)}
		if second {
			cells = append(cells, bench(s), stalledGaps(s), effort(s), answered(s))
		}
		b.WriteString(row(cells...))
	}
	return b.String()
}

// exceptions names every setting of another system that no setting of ours is as
// good as.
func exceptions(curves []results.Curve, key results.Key) string {
	var b strings.Builder
	for _, c := range curves {
		if c.System == results.Ours || c.PeriodFrames != key.PeriodFrames || c.RateHz != key.RateHz || c.Channels != key.Channels || len(c.Points) == 0 {
			continue
		}
		us, found := results.Match(curves, c.Line)
		if !found || len(us.Points) == 0 {
			fmt.Fprintf(&b, "- %s: nothing of ours to hold it against.\n", curveName(curves, c))
			continue
		}
		above := results.Above(us, c)
		if len(above) == 0 {
			fmt.Fprintf(&b, "- %s: our curve lies below (%s).\n", curveName(curves, c), plural(len(c.Points), "setting"))
		}
		for _, e := range above {
			fmt.Fprintf(&b, "- %s %s: our curve does not lie below (%.1f frames, %s gaps a minute). ", curveName(curves, c), code(e.Theirs.Setting), e.Theirs.RoundTripFrames.Median, gaps(e.Theirs))
			if e.Ours == nil {
				b.WriteString("Each of our settings caused more gaps.\n")
			} else {
				fmt.Fprintf(&b, "Our nearest with no more gaps is %s: %.1f frames, %s gaps a minute.\n", code(e.Ours.Setting), e.Ours.RoundTripFrames.Median, gaps(*e.Ours))
			}
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n" + b.String()
}

// commands are those of the settings that the headline names, from their first run.
func commands(set results.Set, all []results.Summary) string {
	var b strings.Builder
	for _, p := range headlinePlaces {
		for _, c := range choose(all, p) {
			if c.why != "" {
				continue
			}
			first := slices.IndexFunc(set.Runs, func(r results.Run) bool { return r.Key() == c.summary.Key && r.Error == "" })
			fmt.Fprintf(&b, "# %s, %s, %s\n%s\n", inSentence(p), c.system, c.summary.Setting, strings.Join(set.Runs[first].Commands, "\n"))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\nThe commands behind the rows of the first tables:\n\n```\n" + b.String() + "```\n"
}

// lockText is the block of docs/measurements.md: how fast the simulator locks.
func lockText(locks results.Locks) string {
	if len(locks.Runs) == 0 {
		return "Locking to a clock that is off: not simulated.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "### Locking to a clock that is off (simulator)\n\nPeriod %d at %d Hz, both ends start at time 0; the same code that runs live.\n\n",
		locks.PeriodFrames, locks.RateHz)
	b.WriteString(head("clock off by", "first sound", "within 1 frame of where the delay stays for good, after", "ratio from then on", "pitch error from then on, at most"))
	for _, run := range locks.Runs {
		b.WriteString(lockRow(run))
	}
	fmt.Fprintf(&b, "\n![Delay error and ratio while locking](%s)\n", fromDocs(lockPath))
	return b.String()
}

func lockRow(run results.Lock) string {
	off := fmt.Sprintf("%+.0f ppm", run.SkewPPM)
	if len(run.Seconds) == 0 {
		return row(off, "no sound", "", "", "")
	}
	locked := len(run.Seconds)
	for locked > 0 && math.Abs(run.DelayErrorFrames[locked-1]) < 1 {
		locked--
	}
	first := fmt.Sprintf("%.2f s", run.Seconds[0])
	if locked == len(run.Seconds) {
		return row(off, first, "not", "", "")
	}
	least, most := slices.Min(run.RatioPPM[locked:]), slices.Max(run.RatioPPM[locked:])
	const centsPerPPM = 1200 / math.Ln2 * 1e-6
	pitch := centsPerPPM * math.Max(run.SkewPPM-least, most-run.SkewPPM)
	return row(off, first, fmt.Sprintf("%.2f s", run.Seconds[locked]), fmt.Sprintf("%+.1f to %+.1f ppm", least, most), fmt.Sprintf("%.3f cents", pitch))
}

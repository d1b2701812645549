package main

import (
	"fmt"
	"math"
	"strings"

	"archibald-bridge/benchmarks/results"
)

const notMeasured = "Not measured beside other bridges yet: `make bench-peers` does it.\n"

// row is one line of a Markdown table.
func row(cells ...string) string {
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(strings.Join(strings.Fields(cell), " "), "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func head(cells ...string) string {
	return row(cells...) + "|" + strings.Repeat("---|", len(cells)) + "\n"
}

func code(text string) string { return "`" + text + "`" }

// roundTrip has the median of the repeats' medians and what they lie between,
// which for one repeat is nothing.
func roundTrip(s results.Summary) string {
	r := s.RoundTripFrames
	text := fmt.Sprintf("%.1f", r.Median)
	if s.Heard > 1 {
		text += fmt.Sprintf(" (%.1f to %.1f)", r.Least, r.Most)
	}
	return fmt.Sprintf("%s = %.2f ms", text, 1000*r.Median/float64(s.RateHz))
}

// Why there is no round trip: each run listens in the guest's graph, and one that hears
// nothing in the host's has failed.
const (
	notHeard = "not heard"    // in the guest's
	notRead  = "not measured" // in the host's: a file from before it was
)

// whole is a round trip alone, or what the repeats lie between; without one it is none.
func whole(r results.Spread, none string) string {
	if r.Median == 0 {
		return none
	}
	least, most := fmt.Sprintf("%.1f", r.Least), fmt.Sprintf("%.1f", r.Most)
	if least == most {
		return least
	}
	return least + " to " + most
}

// tenths is a figure as it is printed.
func tenths(frames float64) float64 { return math.Round(10*frames) / 10 }

func bench(s results.Summary) string {
	if s.BenchFrames == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", s.BenchFrames)
}

func gaps(s results.Summary) string { return fmt.Sprintf("%.2f", s.CausedGapsPerMinute) }

// gapsBetween has the interval in which the rate lies, by the number of gaps alone.
func gapsBetween(s results.Summary) string {
	return fmt.Sprintf("%s (%.2f to %.2f)", gaps(s), s.CausedLeast, s.CausedMost)
}

// stalledGaps are per minute, with the share of the time in which a gap would have counted
// as one of them.
func stalledGaps(s results.Summary) string {
	if !s.Watched {
		return "not watched"
	}
	return fmt.Sprintf("%.2f in %.1f %% of the time", float64(s.StalledGaps)/s.Minutes, 100*s.StalledTimeShare)
}

// effort is what the bridge's processes ask of the kernel in a period.
func effort(s results.Summary) string {
	if s.SystemCallsPerPeriod == 0 {
		return fmt.Sprintf("%.1f, not counted", s.WakeUpsPerPeriod)
	}
	return fmt.Sprintf("%.1f, %.1f", s.WakeUpsPerPeriod, s.SystemCallsPerPeriod)
}

func answered(s results.Summary) string {
	if s.InTimeShare == nil {
		return ""
	}
	return fmt.Sprintf("%.3f %%", 100**s.InTimeShare)
}

func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

// repeats counts them, and those that failed.
func repeats(s results.Summary) string {
	if s.Failed > 0 {
		return fmt.Sprintf("%d, %d failed", s.Repeats, s.Failed)
	}
	return fmt.Sprint(s.Repeats)
}

// timer says how late a bare timer was when a file was measured, processors
// kept awake.
func timer(f results.Named) string {
	return fmt.Sprintf("p99.9 %.0f us", f.Machine.TimerUs["quiet"].P999)
}

func machine(m results.Machine) string {
	return fmt.Sprintf("%s, %d processors, kernel %s, %s", m.Processor, m.Processors, m.Kernel, m.Distribution)
}

func plural(n int, noun string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

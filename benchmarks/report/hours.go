package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"archibald-bridge/benchmarks/plot"
	"archibald-bridge/benchmarks/results"
)

const (
	hoursPlot   = "hours"
	hoursPath   = "docs/img/" + hoursPlot + ".svg"
	hoursFolder = "benchmarks/results/hours"
)

// loadHours reads the newest file of its folder; nil: there is none.
func loadHours(root string) (*namedHours, error) {
	paths, err := filepath.Glob(filepath.Join(root, hoursFolder, "*.json"))
	if err != nil || len(paths) == 0 {
		return nil, err
	}
	name := filepath.Base(slices.Max(paths)) // they begin with the date
	data, err := os.ReadFile(filepath.Join(root, hoursFolder, name))
	if err != nil {
		return nil, err
	}
	h, err := results.ParseHours(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &namedHours{name, h}, nil
}

type namedHours struct {
	name string
	results.Hours
}

// draw draws the round trips over time.
func (h *namedHours) draw() ([]byte, error) {
	var lines []plot.Line
	for _, r := range h.Runs {
		line := plot.Line{Name: r.System + " " + r.Setting, Style: style(r.System)}
		for i, second := range r.Seconds {
			line.Points = append(line.Points, plot.Point{X: second / 60, Y: h.Ms(r.RoundTripFrames[i])})
		}
		lines = append(lines, line)
	}
	var stalls []float64
	for _, s := range h.Stalls {
		stalls = append(stalls, s.AtSeconds/60)
	}
	return plot.Hours(fmt.Sprintf("Round trip over time, period %d, clocks %g ppm apart", h.PeriodFrames, math.Abs(h.SkewPPM)), lines, stalls)
}

// text is the part of docs/comparison.md about it; nothing where nothing was measured.
func (h *namedHours) text() string {
	if h == nil {
		return ""
	}
	var b strings.Builder
	total := 0.0
	for _, s := range h.Stalls {
		total += s.Ms
	}
	fmt.Fprintf(&b, "\n## Latency over hours\n\n![Round trip over time](%s)\n\n", fromDocs(hoursPath))
	fmt.Fprintf(&b, "%.0f minutes on %s, both bridges at once between the same two JACK servers, clocks %g ppm apart. The whole machine was made to stand still %d times, for %.1f ms on average, at moments that follow from a number (seed %d). Raw: [%s](../%s/%[7]s), commit %[9]s.\n\n",
		h.Seconds/60, machine(h.Machine), math.Abs(h.SkewPPM), len(h.Stalls), total/math.Max(1, float64(len(h.Stalls))), h.Seed, h.name, hoursFolder, code(h.Commit))
	b.WriteString(head("system", "setting", "first minute", "last minute", "largest", "moved by more than a period", "heard"))
	for _, r := range h.Runs {
		b.WriteString(h.row(r))
	}
	b.WriteString("\nRound trips in ms, medians of a second; the first and the last minute are medians of theirs. netadapter doubles its ring at each failure and never makes it smaller.\n")
	return b.String()
}

func (h *namedHours) row(r results.HoursRun) string {
	if len(r.Seconds) == 0 {
		return row(r.System, code(r.Setting), "no sound came through "+r.Error, "", "", "", "")
	}
	frames := r.RoundTripFrames
	last := r.Seconds[len(r.Seconds)-1]
	var first, end []float64
	for i, second := range r.Seconds {
		if second <= r.Seconds[0]+60 {
			first = append(first, frames[i])
		}
		if second >= last-60 {
			end = append(end, frames[i])
		}
	}
	heard := percent(float64(len(r.Seconds)) / h.Seconds)
	if r.Error != "" {
		heard += ", then " + r.Error
	}
	ms := func(f float64) string { return fmt.Sprintf("%.2f", h.Ms(f)) }
	return row(r.System, code(r.Setting), ms(results.Median(first)), ms(results.Median(end)), ms(slices.Max(frames)), moves(frames, float64(h.PeriodFrames)), heard)
}

// moves counts how often a round trip settled more than a period from where it was: for
// three readings in a row, so that one odd reading is none.
func moves(frames []float64, period float64) string {
	n, at := 0, frames[0]
	for i := 2; i < len(frames); i++ {
		three := frames[i-2 : i+1]
		if slices.Max(three)-slices.Min(three) <= period && math.Abs(results.Median(three)-at) > period {
			n, at = n+1, results.Median(three)
		}
	}
	return fmt.Sprintf("%d times", n)
}

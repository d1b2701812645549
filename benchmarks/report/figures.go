package main

import (
	"fmt"
	"slices"
	"strings"

	"archibald-bridge/benchmarks/plot"
	"archibald-bridge/benchmarks/results"
)

// readingsPerSecond are jack_iodelay's.
const readingsPerSecond = 2

// How the plots' files begin; those of a period have it behind.
const (
	curvePlot        = "curve-"
	distributionPlot = "distribution-"
	overTimePlot     = "overtime-"
	lockPlot         = "driftlock"
)

const lockPath = "docs/img/" + lockPlot + ".svg"

func plotPath(kind string, p place) string {
	if p.rateHz == headlineRateHz {
		return fmt.Sprintf("docs/img/%s%d.svg", kind, p.periodFrames)
	}
	return fmt.Sprintf("docs/img/%s%d-%d.svg", kind, p.periodFrames, p.rateHz)
}

// style is the same for a system in every plot.
func style(system string) plot.Style {
	if system == results.Control {
		return plot.Styles - 1
	}
	return plot.Style(slices.Index(results.Systems, system))
}

// points are the lines of the plot of latency against gaps.
func points(curves []results.Curve, at place) []plot.Line {
	var lines []plot.Line
	for _, c := range headlineCurves(curves, at) {
		if len(c.Points) == 0 {
			continue
		}
		line := plot.Line{Name: c.System, Style: style(c.System), Dashed: slices.ContainsFunc(lines, func(l plot.Line) bool { return l.Style == style(c.System) })}
		switch {
		case c.Slaved && c.System == results.Ours:
			line.Name += ", locked"
		case c.Slaved:
			line.Name += " (slaved)"
		}
		if curveName(curves, c) != c.System {
			line.Name += ", " + c.Servers
		}
		for _, p := range c.Points {
			line.Points = append(line.Points, plot.Point{X: p.RoundTripFrames.Median, Y: p.CausedGapsPerMinute})
		}
		lines = append(lines, line)
	}
	return lines
}

// figures draws what the newest machine and the simulator gave.
func figures(d data) (map[string][]byte, error) {
	files := map[string][]byte{}
	draw := func(path string, svg []byte, err error) error {
		files[path] = svg
		return err
	}
	if len(d.locks.Runs) > 0 {
		svg, err := plot.Locks(fmt.Sprintf("Locking to a clock that is off, period %d, simulated", d.locks.PeriodFrames), locks(d.locks))
		if err := draw(lockPath, svg, err); err != nil {
			return nil, err
		}
	}
	if d.hours != nil {
		svg, err := d.hours.draw()
		if err := draw(hoursPath, svg, err); err != nil {
			return nil, err
		}
	}
	if len(d.sets) == 0 {
		return files, nil
	}
	set := d.sets[0]
	all := results.Summarise(set.Runs)
	curves := results.Curves(all)
	for _, p := range measuredPlaces(all) {
		lines := points(curves, p)
		if len(lines) == 0 {
			continue
		}
		svg, err := plot.Curves(fmt.Sprintf("Latency against gaps, %s: lower left is better", inSentence(p)), lines)
		if err := draw(plotPath(curvePlot, p), svg, err); err != nil {
			return nil, err
		}
		rows, over := readings(set, choose(all, p))
		svg, err = plot.Distributions("Round trip, all repeats, "+inSentence(p), rows)
		if err := draw(plotPath(distributionPlot, p), svg, err); err != nil {
			return nil, err
		}
		svg, err = plot.OverTime("Round trip over time, first repeat, "+inSentence(p), over)
		if err := draw(plotPath(overTimePlot, p), svg, err); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// measuredPlaces are the headline's places in the order of the summaries.
func measuredPlaces(all []results.Summary) []place {
	var list []place
	for _, s := range all {
		if p := placeOf(s.Key); headlineLine(s.Key) && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// readings are those of the headline's settings: of all repeats together, and of
// the first one over time.
func readings(set results.Set, choices []choice) ([]plot.Row, []plot.Line) {
	var rows []plot.Row
	var lines []plot.Line
	for _, c := range choices {
		if c.why != "" {
			continue
		}
		name := c.system
		if c.system != results.Control {
			name += " " + c.summary.Setting
		}
		row := plot.Row{Name: name, Style: style(c.system)}
		line := plot.Line{Name: name, Style: style(c.system), Dashed: slices.ContainsFunc(lines, func(l plot.Line) bool { return l.Style == style(c.system) })}
		for _, r := range set.Runs {
			if r.Key() != c.summary.Key || r.Error != "" || len(r.RoundTripFrames) == 0 {
				continue
			}
			row.Frames = append(row.Frames, r.RoundTripFrames...)
			if line.Points == nil {
				for i, frames := range r.RoundTripFrames {
					line.Points = append(line.Points, plot.Point{X: float64(i) / readingsPerSecond, Y: frames})
				}
			}
		}
		rows, lines = append(rows, row), append(lines, line)
	}
	return rows, lines
}

func locks(all results.Locks) []plot.Lock {
	var drawn []plot.Lock
	for i, run := range all.Runs {
		lock := plot.Lock{Name: fmt.Sprintf("sender %+.0f ppm", run.SkewPPM), Style: plot.Style(i)}
		for j, seconds := range run.Seconds {
			lock.DelayFrames = append(lock.DelayFrames, plot.Point{X: seconds, Y: run.DelayErrorFrames[j]})
			lock.RatioPPM = append(lock.RatioPPM, plot.Point{X: seconds, Y: run.RatioPPM[j]})
		}
		drawn = append(drawn, lock)
	}
	return drawn
}

// fromDocs is a path below docs/ as a document there links it.
func fromDocs(path string) string { return strings.TrimPrefix(path, "docs/") }

// pictures shows the readings of a period in docs/comparison.md.
func pictures(curves []results.Curve, p place) string {
	if len(points(curves, p)) == 0 {
		return ""
	}
	var b strings.Builder
	for _, kind := range []struct{ plot, text string }{
		{distributionPlot, "Distribution of the round trip: least to most, bar from the 5th to the 95th percentile, dot at the median"},
		{overTimePlot, "Round trip over time"},
	} {
		fmt.Fprintf(&b, "\n![%s, %s](%s)\n", kind.text, inSentence(p), fromDocs(plotPath(kind.plot, p)))
	}
	return b.String()
}

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

func plotPath(kind string, period int) string {
	if kind == lockPlot {
		return "docs/img/" + lockPlot + ".svg"
	}
	return fmt.Sprintf("docs/img/%s%d.svg", kind, period)
}

// style is the same for a system in every plot.
func style(system string) plot.Style {
	if system == results.Ours {
		return 0
	}
	at := slices.Index(peers, system)
	if at < 0 {
		return plot.Styles - 1
	}
	return plot.Style(at + 1)
}

// points are the lines of the plot of latency against gaps.
func points(curves []results.Curve, period int) []plot.Line {
	var lines []plot.Line
	for _, c := range headlineCurves(curves, period) {
		if len(c.Points) == 0 {
			continue
		}
		line := plot.Line{Name: c.System, Style: style(c.System)}
		if c.Slaved {
			line.Name += " (slaved)"
		}
		if c.System == results.Ours && c.Servers != ourServers {
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
		if err := draw(plotPath(lockPlot, 0), svg, err); err != nil {
			return nil, err
		}
	}
	if len(d.sets) == 0 {
		return files, nil
	}
	set := d.sets[0]
	all := results.Summarise(set.Runs)
	curves := results.Curves(all)
	for _, period := range periods(all) {
		lines := points(curves, period)
		if len(lines) == 0 {
			continue
		}
		svg, err := plot.Curves(fmt.Sprintf("Latency against gaps, period %d: lower left is better", period), lines)
		if err := draw(plotPath(curvePlot, period), svg, err); err != nil {
			return nil, err
		}
		rows, over := readings(set, choose(all, period))
		svg, err = plot.Distributions(fmt.Sprintf("Round trip, all repeats, period %d", period), rows)
		if err := draw(plotPath(distributionPlot, period), svg, err); err != nil {
			return nil, err
		}
		svg, err = plot.OverTime(fmt.Sprintf("Round trip over time, first repeat, period %d", period), over)
		if err := draw(plotPath(overTimePlot, period), svg, err); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// periods lists those that the headline's kind of run was made at.
func periods(all []results.Summary) []int {
	var list []int
	for _, s := range all {
		if headlineLine(s.Key) && !slices.Contains(list, s.PeriodFrames) {
			list = append(list, s.PeriodFrames)
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
func pictures(curves []results.Curve, period int) string {
	if len(points(curves, period)) == 0 {
		return ""
	}
	var b strings.Builder
	for _, kind := range []struct{ plot, text string }{
		{distributionPlot, "Distribution of the round trip: least to most, bar from the 5th to the 95th percentile, dot at the median"},
		{overTimePlot, "Round trip over time"},
	} {
		fmt.Fprintf(&b, "\n![%s, period %d](%s)\n", kind.text, period, fromDocs(plotPath(kind.plot, period)))
	}
	return b.String()
}

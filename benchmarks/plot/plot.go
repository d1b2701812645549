package plot

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Point is one place in a plot.
type Point struct{ X, Y float64 }

// Line is a named row of points.
type Line struct {
	Name   string
	Style  Style
	Dashed bool // to tell two lines of one style apart
	Points []Point
}

func (l Line) line(width vg.Length) draw.LineStyle {
	style := l.Style.line(width)
	if l.Dashed {
		style.Dashes = []vg.Length{6, 3}
	}
	return style
}

var errNothing = errors.New("plot: nothing to draw")

func xys(points []Point) plotter.XYs {
	list := make(plotter.XYs, len(points))
	for i, p := range points {
		list[i] = plotter.XY(p)
	}
	return list
}

// Curves draws latency, in frames, against gaps per minute, one line for each
// system. The latter's axis is logarithmic and has a zero of its own, one decade
// below the lowest one that is needed.
func Curves(title string, lines []Line) ([]byte, error) {
	p := newPlot(title, "median round trip, frames", "gaps caused per minute")
	legend := newLegend()
	least, most, some := -1.0, 0.0, false // decimal logarithms
	for _, l := range lines {
		for _, point := range l.Points {
			some = true
			if point.Y > 0 {
				least = math.Min(least, math.Floor(math.Log10(point.Y)))
				most = math.Max(most, math.Log10(point.Y))
			}
		}
	}
	if !some {
		return nil, errNothing
	}
	for _, l := range lines {
		points := slices.Clone(l.Points)
		for i := range points {
			points[i].Y = math.Max(math.Log10(points[i].Y), least-1)
		}
		line, marks, err := plotter.NewLinePoints(xys(points))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		line.LineStyle, marks.GlyphStyle = l.line(1.8), l.Style.glyph()
		p.Add(line, marks)
		legend.Add(l.Name, line, marks)
	}
	p.X.Min = 0
	p.X.Max *= 1.03
	p.Y.Min, p.Y.Max = least-1, most+0.1
	p.Y.Tick.Marker = decadeTicks(least)
	return render(&legend, p)
}

// OverTime draws latency, in frames, over seconds.
func OverTime(title string, lines []Line) ([]byte, error) {
	p := newPlot(title, "seconds", "round trip, frames")
	legend := newLegend()
	some := false
	for _, l := range lines {
		if len(l.Points) == 0 {
			continue
		}
		some = true
		line, err := plotter.NewLine(xys(thin(l.Points)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		line.LineStyle = l.line(1.5)
		p.Add(line)
		legend.Add(l.Name, line)
	}
	if !some {
		return nil, errNothing
	}
	p.Y.Min = 0
	p.Y.Max *= 1.05
	return render(&legend, p)
}

// Row is the readings of one system.
type Row struct {
	Name   string
	Style  Style
	Frames []float64
}

// Distributions draws each row's readings as a line from the least to the most,
// a bar from the 5th to the 95th percentile, and a mark at the median. The axis of
// frames is logarithmic, so that one system's failure does not flatten the others;
// what is below a frame is drawn at one.
func Distributions(title string, rows []Row) ([]byte, error) {
	p := newPlot(title, "round trip, frames", "")
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(octaveTicks)
	var names []string
	for _, r := range slices.Backward(rows) { // the first one on top
		if len(r.Frames) == 0 {
			continue
		}
		y := float64(len(names))
		names = append(names, r.Name)
		sorted := slices.Sorted(slices.Values(r.Frames))
		at := func(q float64) float64 { return math.Max(1, sorted[int(math.Round(q*float64(len(sorted)-1)))]) }
		for _, bar := range []struct {
			from, to float64
			wide     vg.Length
		}{{at(0), at(1), 1.5}, {at(.05), at(.95), 9}} {
			line, err := plotter.NewLine(plotter.XYs{{X: bar.from, Y: y}, {X: bar.to, Y: y}})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.Name, err)
			}
			line.LineStyle = r.Style.line(bar.wide)
			p.Add(line)
		}
		mark, err := plotter.NewScatter(plotter.XYs{{X: at(.5), Y: y}})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		mark.GlyphStyle = draw.GlyphStyle{Color: color.Black, Shape: draw.CircleGlyph{}, Radius: 2.5}
		p.Add(mark)
	}
	if len(names) == 0 {
		return nil, errNothing
	}
	p.NominalY(names...)
	p.X.Min = math.Exp2(math.Floor(math.Log2(p.X.Min)))
	p.X.Max *= 1.1
	p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4
	return render(nil, p)
}

// Lock is how a receiver's clock came to follow a sender's.
type Lock struct {
	Name  string
	Style Style
	// DelayFrames is how far the delay is from where it stays, RatioPPM the
	// resampling in force, both over seconds.
	DelayFrames, RatioPPM []Point
}

// Locks draws how clocks are locked to, delay above, ratio below.
func Locks(title string, locks []Lock) ([]byte, error) {
	delay := newPlot(title, "", "delay error, frames")
	ratio := newPlot("", "seconds", "ratio, ppm")
	legend := newLegend()
	if len(locks) == 0 {
		return nil, errNothing
	}
	for _, l := range locks {
		above, err := plotter.NewLine(xys(thin(l.DelayFrames)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		below, err := plotter.NewLine(xys(thin(l.RatioPPM)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		above.LineStyle, below.LineStyle = l.Style.line(1.5), l.Style.line(1.5)
		delay.Add(above)
		ratio.Add(below)
		legend.Add(l.Name, above)
	}
	delay.X.Min, ratio.X.Min = 0, 0
	return render(&legend, delay, ratio)
}

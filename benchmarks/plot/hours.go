package plot

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Hours draws latency, in milliseconds, over minutes, as steps: it stays until it is seen to
// have changed. stalls, in minutes, are marked at the bottom.
func Hours(title string, lines []Line, stalls []float64) ([]byte, error) {
	p := newPlot(title, "minutes", "round trip, ms")
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
		line.StepStyle = plotter.PostStep
		line.LineStyle = l.line(1.8)
		p.Add(line)
		legend.Add(l.Name, line)
	}
	if !some {
		return nil, errNothing
	}
	p.X.Min, p.Y.Min = 0, 0
	p.Y.Max *= 1.05
	if len(stalls) > 0 {
		marks := make(plotter.XYs, len(stalls))
		for i, at := range stalls {
			marks[i] = plotter.XY{X: at, Y: p.Y.Max / 60}
		}
		scatter, err := plotter.NewScatter(marks)
		if err != nil {
			return nil, fmt.Errorf("stalls: %w", err)
		}
		scatter.GlyphStyle = draw.GlyphStyle{Color: color.Gray{90}, Shape: draw.CrossGlyph{}, Radius: 3}
		p.Add(scatter)
		legend.Add("machine stands still", scatter)
	}
	return render(&legend, p)
}

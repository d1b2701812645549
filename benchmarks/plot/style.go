package plot

import (
	"bytes"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Style is how one system looks in every figure. The colours can be told apart
// by the colour-blind (Okabe and Ito, Color Universal Design, 2008, and four darker
// ones), and the marks differ, too. The last one is black.
type Style int

// Styles is how many there are.
const Styles = 11

var looks = [Styles]struct {
	color color.RGBA
	mark  draw.GlyphDrawer
}{
	{color.RGBA{0, 114, 178, 255}, draw.CircleGlyph{}},
	{color.RGBA{213, 94, 0, 255}, draw.SquareGlyph{}},
	{color.RGBA{0, 158, 115, 255}, draw.PyramidGlyph{}},
	{color.RGBA{204, 121, 167, 255}, draw.BoxGlyph{}},
	{color.RGBA{230, 159, 0, 255}, draw.TriangleGlyph{}},
	{color.RGBA{86, 180, 233, 255}, draw.CrossGlyph{}},
	{color.RGBA{148, 52, 110, 255}, draw.RingGlyph{}},
	{color.RGBA{96, 57, 19, 255}, draw.SquareGlyph{}},
	{color.RGBA{128, 128, 0, 255}, draw.PyramidGlyph{}},
	{color.RGBA{110, 110, 110, 255}, draw.CircleGlyph{}},
	{color.RGBA{0, 0, 0, 255}, draw.PlusGlyph{}},
}

func (s Style) line(width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: looks[s%Styles].color, Width: width}
}

func (s Style) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: looks[s%Styles].color, Shape: looks[s%Styles].mark, Radius: 4}
}

const (
	width      = 720 // points
	height     = 400
	legendWide = 190
	margin     = 8
)

var sans = font.Font{Typeface: "Liberation", Variant: "Sans"}

// newPlot returns an empty plot with grid and legible text.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding = 8
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.Title.TextStyle.Font = font.From(sans, 15)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = font.From(sans, 13)
		axis.Tick.Label.Font = font.From(sans, 12)
		axis.Tick.Marker = plot.TickerFunc(evenTicks)
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	return p
}

func newLegend() plot.Legend {
	l := plot.NewLegend()
	l.TextStyle.Font = font.From(sans, 12)
	l.Top, l.Left = true, true
	l.Padding = 5
	return l
}

// render draws plots above each other, with a legend to the right of them where
// it hides nothing.
func render(legend *plot.Legend, plots ...*plot.Plot) ([]byte, error) {
	canvas := vgsvg.New(width, height)
	all := draw.New(canvas)
	all.SetColor(color.White)
	all.Fill(all.Rectangle.Path())
	area := draw.Crop(all, margin, -margin, margin, -margin)
	if legend != nil {
		area = draw.Crop(area, 0, -legendWide, 0, 0)
		legend.Draw(draw.Crop(all, width-legendWide, -margin, margin, -4*margin))
	}
	rows := make([][]*plot.Plot, len(plots))
	for i, p := range plots {
		rows[i] = []*plot.Plot{p}
	}
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadY: 6}
	for i, row := range plot.Align(rows, tiles, area) {
		plots[i].Draw(row[0])
	}
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return nil, err
	}
	// Few readers have the font that the plot was laid out with.
	return bytes.ReplaceAll(svg.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), nil
}

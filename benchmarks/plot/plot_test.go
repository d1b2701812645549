package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

func curves() []Line {
	return []Line{
		{Name: "with gaps", Style: 0, Points: []Point{{176, 4}, {190, 1.0 / 3}, {260, 0}}},
		{Name: "one point & no line", Style: 1, Points: []Point{{128, 300}}},
	}
}

// noisy is a line as a long run gives it.
func noisy(n int) []Point {
	random := rand.New(rand.NewPCG(1, 2))
	var points []Point
	for i := range n {
		points = append(points, Point{float64(i) / 2, 190 + random.Float64()})
	}
	return points
}

// figures draws one of each kind, the lines as long as a run of ten minutes.
func figures(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, draw := range map[string]func() ([]byte, error){
		"curves": func() ([]byte, error) { return Curves("Curves", curves()) },
		"over time": func() ([]byte, error) {
			return OverTime("Over time", []Line{{Name: "a", Points: noisy(1200)}, {Name: "b", Style: 1, Dashed: true, Points: noisy(1200)}})
		},
		"distributions": func() ([]byte, error) {
			return Distributions("Distributions", []Row{{"constant", 0, []float64{128, 128, 128}}, {"spread", 1, []float64{300, 301, 320}}})
		},
		"locks": func() ([]byte, error) {
			return Locks("Locks", []Lock{{"a", 0, noisy(2000), noisy(2000)}})
		},
	} {
		svg, err := draw()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = svg
	}
	return all
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	first, second := figures(t), figures(t)
	for name := range first {
		if !bytes.Equal(first[name], second[name]) {
			t.Errorf("%s differs from one time to the next", name)
		}
	}
}

func TestFiguresAreSmallAndWellFormed(t *testing.T) {
	for name, svg := range figures(t) {
		if len(svg) > 60e3 {
			t.Errorf("%s has %d bytes, more than 60 kB", name, len(svg))
		}
		for decoder := xml.NewDecoder(bytes.NewReader(svg)); ; {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
		if strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf") {
			t.Errorf("%s has coordinates that are no numbers", name)
		}
	}
}

func TestZeroGapsHaveAPlaceOnTheLogarithmicAxis(t *testing.T) {
	svg, err := Curves("", curves())
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{">0<", ">0.1<", ">1<", ">10<", ">100<", ">with gaps<", ">one point &amp; no line<"} {
		if !bytes.Contains(svg, []byte(label)) {
			t.Errorf("the figure does not show %s", label)
		}
	}
	if bytes.Contains(svg, []byte(">0.01<")) {
		t.Error("the place of zero is also called 0.01")
	}
}

func TestOneFailureDoesNotFlattenTheOtherDistributions(t *testing.T) {
	svg, err := Distributions("", []Row{{"good", 0, []float64{84, 85, 86}}, {"failing", 1, []float64{0, 200, 30000}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{">1<", ">64<", ">128<", ">16384<"} {
		if !bytes.Contains(svg, []byte(label)) {
			t.Errorf("the axis does not show %s", label)
		}
	}
	if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
		t.Error("a coordinate is no number")
	}
}

func TestOnlyZeroesCanBeDrawn(t *testing.T) {
	if _, err := Curves("", []Line{{Name: "perfect", Points: []Point{{192, 0}}}}); err != nil {
		t.Error(err)
	}
}

func TestAConstantLatencyCanBeDrawn(t *testing.T) {
	flat := []Point{{0, 128}, {1, 128}}
	if _, err := OverTime("", []Line{{Name: "a", Points: flat}}); err != nil {
		t.Error(err)
	}
	svg, err := Locks("", []Lock{{"a", 0, []Point{{0, 0}, {1, 0}}, flat}})
	if err != nil || bytes.Contains(svg, []byte("NaN")) {
		t.Errorf("%v, or a coordinate that is no number", err)
	}
}

func TestNothingIsNotDrawn(t *testing.T) {
	_, curve := Curves("", []Line{{Name: "empty"}})
	_, over := OverTime("", nil)
	_, distribution := Distributions("", []Row{{Name: "empty"}})
	_, lock := Locks("", nil)
	for i, err := range []error{curve, over, distribution, lock} {
		if err == nil {
			t.Errorf("figure %d was drawn from nothing", i)
		}
	}
}

func TestAThinnedLineKeepsItsPeaks(t *testing.T) {
	points := noisy(10000)
	points[1234].Y, points[8765].Y = 1000, -1000
	thinned := thin(points)
	least, most := math.Inf(1), math.Inf(-1)
	for i, p := range thinned {
		least, most = math.Min(least, p.Y), math.Max(most, p.Y)
		if i > 0 && p.X < thinned[i-1].X {
			t.Fatalf("point %d lies before the one before it", i)
		}
	}
	if len(thinned) > mostPoints || least != -1000 || most != 1000 {
		t.Errorf("%d points from %v to %v, want at most %d from -1000 to 1000", len(thinned), least, most, mostPoints)
	}
}

func TestTicksAreRound(t *testing.T) {
	for _, test := range []struct {
		from, to float64
		want     string
	}{
		{0, 800, "0 100 200 300 400 500 600 700 800"},
		{0, 19.5, "0 2 4 6 8 10 12 14 16 18"},
		{-0.31, 0.21, "-0.3 -0.2 -0.1 0.0 0.1 0.2"},
		{-500, 500, "-400 -200 0 200 400"},
		{127, 129, "127.0 127.2 127.4 127.6 127.8 128.0 128.2 128.4 128.6 128.8 129.0"},
	} {
		var labels []string
		for _, tick := range evenTicks(test.from, test.to) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != test.want {
			t.Errorf("%v to %v: %s, want %s", test.from, test.to, got, test.want)
		}
	}
}

func TestTheProgramItselfDrawsNothing(t *testing.T) {
	for folder, wanted := range map[string]bool{"../..": false, "../report": true} {
		command := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
		command.Dir = folder
		needs, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		if found := strings.Contains(string(needs), "gonum.org/v1/plot\n"); found != wanted {
			t.Errorf("%s needs gonum/plot: %v, want %v", folder, found, wanted)
		}
	}
}

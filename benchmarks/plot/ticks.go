package plot

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// evenTicks marks an axis at five to ten round values: 1, 2 or 5 times a power
// of ten apart.
func evenTicks(from, to float64) []plot.Tick {
	power := math.Pow(10, math.Floor(math.Log10((to-from)/5)))
	step := power
	for _, factor := range []float64{2, 5} {
		if (to-from)/(factor*power) >= 5 {
			step = factor * power
		}
	}
	digits := max(0, int(-math.Floor(math.Log10(step))))
	var ticks []plot.Tick
	for i := math.Ceil(from / step); i*step <= to; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step+0, 'f', digits, 64)})
	}
	return ticks
}

// decadeTicks marks an axis of decimal logarithms at its decades. The place one
// decade below the lowest stands for zero.
func decadeTicks(lowest float64) plot.TickerFunc {
	return func(_, most float64) []plot.Tick {
		ticks := []plot.Tick{{Value: lowest - 1, Label: "0"}}
		for decade := lowest; decade <= most; decade++ {
			ticks = append(ticks, plot.Tick{Value: decade, Label: strconv.FormatFloat(math.Pow(10, decade), 'g', 3, 64)})
		}
		return ticks
	}
}

// octaveTicks marks a logarithmic axis at powers of two, which periods are.
func octaveTicks(from, to float64) []plot.Tick {
	var ticks []plot.Tick
	for value := math.Exp2(math.Ceil(math.Log2(from))); value <= to; value *= 2 {
		ticks = append(ticks, plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'f', -1, 64)})
	}
	return ticks
}

package clock

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestQuantileOfFewPacketsIsThatOfMany(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{375, 750, 10000, 1000000} {
		for range 5 {
			var l lateness
			for range n {
				l.add(2 + 4*r.ExpFloat64())
			}
			// The true one: 2 + 4 ln(1/1e-5).
			const want = 48.1
			if got := l.quantile(); math.Abs(got-want) > 0.5*want*math.Sqrt(375/float64(n))+2 {
				t.Errorf("%d packets: quantile %.1f frames, want about %.1f", n, got, want)
			}
		}
	}
}

func TestQuantileOfOneLatenessIsThatLateness(t *testing.T) {
	for _, late := range []float64{-3, 0, 1, 17, 192} {
		for _, n := range []int{1, 2, 15, 16, 17, 1000} {
			var l lateness
			for range n {
				l.add(late)
			}
			if got := l.quantile(); got != max(0, late) {
				t.Errorf("%d packets %v frames late: quantile %v", n, late, got)
			}
		}
	}
}

func TestQuantileOfNothingIsNothing(t *testing.T) {
	var l lateness
	if got := l.quantile(); got != 0 {
		t.Error(got)
	}
}

func TestOldLatenessIsForgotten(t *testing.T) {
	var l lateness
	for range halveAt {
		l.add(100)
	}
	for range 12 * halveAt {
		l.add(5)
	}
	if got := l.quantile(); got > 60 || l.n > halveAt {
		t.Errorf("quantile %v, %v packets counted", got, l.n)
	}
}

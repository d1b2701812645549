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
			var d pdvDistribution
			for range n {
				d.add(2 + 4*r.ExpFloat64())
			}
			// The true one: 2 + 4 ln(1/1e-5).
			const want = 48.1
			if got := d.quantile(); math.Abs(got-want) > 0.5*want*math.Sqrt(375/float64(n))+2 {
				t.Errorf("%d packets: quantile %.1f frames, want about %.1f", n, got, want)
			}
		}
	}
}

func TestQuantileOfOneDelayIsThatDelay(t *testing.T) {
	for _, late := range []float64{-3, 0, 1, 17, 192} {
		for _, n := range []int{1, 2, 15, 16, 17, 1000} {
			var d pdvDistribution
			for range n {
				d.add(late)
			}
			if got := d.quantile(); got != max(0, late) {
				t.Errorf("%d packets %v frames late: quantile %v", n, late, got)
			}
		}
	}
}

func TestQuantileOfNothingIsNothing(t *testing.T) {
	var d pdvDistribution
	if got := d.quantile(); got != 0 {
		t.Error(got)
	}
}

func TestOldDelayVariationIsForgotten(t *testing.T) {
	var d pdvDistribution
	for range pdvHalvedAt {
		d.add(100)
	}
	for range 12 * pdvHalvedAt {
		d.add(5)
	}
	if got := d.quantile(); got > 60 || d.n > pdvHalvedAt {
		t.Errorf("quantile %v, %v packets counted", got, d.n)
	}
}

func TestQuantilesOfNothing(t *testing.T) {
	var r recentPDV
	if q := r.quantiles(); q != (Quantiles{}) {
		t.Errorf("%+v", q)
	}
}

func TestQuantilesOfOneDelay(t *testing.T) {
	var r recentPDV
	r.add(-5000)
	if q := r.quantiles(); q != (Quantiles{P50: 5, P99: 5, Max: 5}) {
		t.Errorf("%+v", q)
	}
}

func TestQuantilesAreOfAbsoluteValuesInMicroseconds(t *testing.T) {
	var r recentPDV
	for i := 999; i >= 0; i-- { // 0 to 999 us, early ones in between
		r.add(float64(i*1000) * float64(1-2*(i%2)))
	}
	if q := r.quantiles(); q != (Quantiles{P50: 500, P99: 990, Max: 999}) {
		t.Errorf("%+v", q)
	}
}

func TestQuantilesForgetOldDelays(t *testing.T) {
	var r recentPDV
	r.add(9e9)
	for range len(r.ns) {
		r.add(1000)
	}
	if q := r.quantiles(); q != (Quantiles{P50: 1, P99: 1, Max: 1}) {
		t.Errorf("%+v", q)
	}
}

package results

import (
	"math"
	"testing"
)

// The published table of exact limits for a Poisson mean: Pearson and Hartley,
// Biometrika Tables for Statisticians, table 40, printed to two decimals (95 %: column
// 0.025; 99 %: column 0.005).
func TestTheIntervalIsThatOfThePublishedTable(t *testing.T) {
	for _, test := range []struct {
		count       int
		confidence  float64
		least, most float64
	}{
		{0, .95, 0, 3.69}, {1, .95, 0.0253, 5.57}, {2, .95, 0.242, 7.22}, {3, .95, 0.619, 8.77},
		{5, .95, 1.62, 11.67}, {10, .95, 4.80, 18.39}, {20, .95, 12.22, 30.89}, {50, .95, 37.11, 65.92},
		{0, .99, 0, 5.30}, {1, .99, 0.00501, 7.43}, {10, .99, 3.72, 21.40},
	} {
		least, most := PoissonInterval(test.count, test.confidence)
		if math.Abs(least-test.least) > 0.006 || math.Abs(most-test.most) > 0.006 {
			t.Errorf("%d events, %v: %.4f to %.4f, want %v to %v", test.count, test.confidence, least, most, test.least, test.most)
		}
	}
}

// The definition, without the chi-squared distribution: at each limit, what was seen or
// more extreme has exactly half of the probability that is left.
func TestAtEachLimitWhatWasSeenIsAsUnlikelyAsSaid(t *testing.T) {
	atMost := func(count int, mean float64) (sum float64) {
		term := math.Exp(-mean)
		for k := 0; k <= count; k++ {
			sum += term
			term *= mean / float64(k+1)
		}
		return sum
	}
	for _, count := range []int{0, 1, 2, 7, 26, 83, 237} {
		least, most := PoissonInterval(count, .95)
		if got := atMost(count, most); math.Abs(got-.025) > 1e-9 {
			t.Errorf("%d: at %v, so few have the probability %v", count, most, got)
		}
		if got := 1 - atMost(count-1, least); count > 0 && math.Abs(got-.025) > 1e-9 {
			t.Errorf("%d: at %v, so many have the probability %v", count, least, got)
		}
	}
}

func TestPerMinuteTheIntervalShrinksWithTheTimeMeasured(t *testing.T) {
	short, long := one(t, a(Ours, "x", nil, 3)), one(t, a(Ours, "x", nil, 3), a(Ours, "x", nil, 3), a(Ours, "x", nil, 3))
	if short.CausedGapsPerMinute != long.CausedGapsPerMinute {
		t.Fatal("not the same rate")
	}
	if math.Abs(short.CausedLeast-0.619) > .001 || math.Abs(short.CausedMost-8.767) > .001 || long.CausedMost >= short.CausedMost || long.CausedLeast <= short.CausedLeast {
		t.Errorf("one minute %v to %v, three %v to %v", short.CausedLeast, short.CausedMost, long.CausedLeast, long.CausedMost)
	}
}

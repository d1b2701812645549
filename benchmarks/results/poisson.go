package results

import "gonum.org/v1/gonum/stat/distuv"

// confidence is that of the intervals printed beside a number of gaps.
const confidence = 0.95

// PoissonInterval returns the exact interval (Garwood 1936) in which the mean of a
// Poisson distribution lies with a confidence, 0 to 1, after count events were seen. It
// holds for events that are independent. Gaps that come in bursts spread more.
func PoissonInterval(count int, confidence float64) (least, most float64) {
	tail := (1 - confidence) / 2
	if count > 0 {
		least = distuv.ChiSquared{K: 2 * float64(count)}.Quantile(tail) / 2
	}
	return least, distuv.ChiSquared{K: 2*float64(count) + 2}.Quantile(1-tail) / 2
}

package clock

import "slices"

// Quantiles summarise a distribution, in microseconds.
type Quantiles struct{ P50, P99, Max float64 }

// spread keeps the newest errors, for quantiles.
type spread struct {
	ns   [2048]float64
	n, i int
}

func (s *spread) add(ns float64) {
	s.ns[s.i] = ns
	s.i = (s.i + 1) % len(s.ns)
	s.n = min(s.n+1, len(s.ns))
}

// quantiles are of the absolute errors.
func (s *spread) quantiles() Quantiles {
	if s.n == 0 {
		return Quantiles{}
	}
	sorted := make([]float64, s.n)
	for i, x := range s.ns[:s.n] {
		sorted[i] = max(x, -x) / 1e3
	}
	slices.Sort(sorted)
	return Quantiles{
		P50: sorted[s.n/2], P99: sorted[min(s.n-1, s.n*99/100)], Max: sorted[s.n-1],
	}
}

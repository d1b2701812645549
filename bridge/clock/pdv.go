package clock

import (
	"math"
	"slices"
)

// pdvDistribution counts packet delay variation (RFC 5481: a packet's delay above that of
// the earliest packets, here above the envelope) in whole frames. It estimates how much one
// packet in 100,000 will have.
type pdvDistribution struct {
	packets []float64 // by whole frames of delay variation; older ones count less
	n       float64   // sum of packets
}

// add takes the delay variation of one packet, in frames.
func (d *pdvDistribution) add(frames float64) {
	at := max(0, int(math.Ceil(frames)))
	for at >= len(d.packets) {
		d.packets = append(d.packets, 0)
	}
	d.packets[at]++
	d.n++
	if d.n < pdvHalvedAt {
		return
	}
	d.n = 0
	for i := range d.packets {
		d.packets[i] /= 2
		d.n += d.packets[i]
	}
}

// quantile is the delay variation, in frames, that a share discardBudget of packets exceeds.
// So few packets are that late that the tail is extended as an exponential one: the mean
// excess over a high threshold is its scale (peaks over threshold: J. Pickands, "Statistical
// inference using extreme order statistics", Annals of Statistics 3, 1975, with the shape
// set to 0).
func (d *pdvDistribution) quantile() float64 {
	if d.n == 0 {
		return 0
	}
	want := math.Min(math.Max(math.Min(leastTail, d.n*leastTailShare), d.n*tailShare), mostTail)
	tail, excess := 0.0, 0.0 // packets above the threshold, and the sum of their delay variation
	threshold := len(d.packets)
	for threshold > 0 && tail < want {
		threshold--
		tail += d.packets[threshold]
		excess += d.packets[threshold] * float64(threshold)
	}
	scale := excess/tail - float64(threshold)
	return float64(threshold) + scale*math.Max(0, math.Log(tail/(d.n*discardBudget)))
}

// leaving is the least delay variation, in whole frames, that at most so many packets exceed.
func (d *pdvDistribution) leaving(most float64) float64 {
	above := 0.0
	for at := len(d.packets) - 1; at >= 0; at-- {
		if above += d.packets[at]; above > most {
			return float64(at)
		}
	}
	return 0
}

// Quantiles summarise a distribution, in microseconds.
type Quantiles struct{ P50, P99, Max float64 }

// recentPDV keeps the delay variation of the newest packet groups, for display.
type recentPDV struct {
	ns   [recentGroups]float64
	n, i int
}

func (r *recentPDV) add(ns float64) {
	r.ns[r.i] = ns
	r.i = (r.i + 1) % len(r.ns)
	r.n = min(r.n+1, len(r.ns))
}

// quantiles are of the absolute values.
func (r *recentPDV) quantiles() Quantiles {
	if r.n == 0 {
		return Quantiles{}
	}
	sorted := make([]float64, r.n)
	for i, x := range r.ns[:r.n] {
		sorted[i] = max(x, -x) / 1e3
	}
	slices.Sort(sorted)
	return Quantiles{
		P50: sorted[r.n/2], P99: sorted[min(r.n-1, r.n*99/100)], Max: sorted[r.n-1],
	}
}

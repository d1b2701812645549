package report

import "slices"

const transitSamples = 16

// transit estimates how long a stream's packets are under way, from measurements
// that are noisy and know how wrong they can be.
type transit struct {
	samples [transitSamples]transitSample
	n, next int
}

type transitSample struct{ ns, errorNs int64 }

// add takes a measurement: the true value is within errorNs of ns.
func (t *transit) add(ns, errorNs int64) {
	t.samples[t.next] = transitSample{ns, errorNs}
	t.next = (t.next + 1) % transitSamples
	t.n = min(t.n+1, transitSamples)
}

// value is the median of the newest 16 measurements and the median of their
// errors, which bounds its error: a median off by more would need half of the
// measurements to be off by more. ok is false before the first.
func (t *transit) value() (ns, errorNs int64, ok bool) {
	if t.n == 0 {
		return 0, 0, false
	}
	values, errors := make([]int64, t.n), make([]int64, t.n)
	for i, s := range t.samples[:t.n] {
		values[i], errors[i] = s.ns, s.errorNs
	}
	slices.Sort(values)
	slices.Sort(errors)
	return values[t.n/2], errors[t.n/2], true
}

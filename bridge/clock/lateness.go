package clock

import "math"

const (
	lateBudget  = 1e-5     // of all packets may be later than the allowance
	tailShare   = 1.0 / 50 // of the packets are the tail that is extrapolated from,
	leastTail   = 16       // but at least so many
	mostTail    = 1000     // and at most
	halveAt     = 1 << 20  // packets: what came before counts half (12 min at a period of 32)
	provenAfter = 1 << 17  // packets: the quantile is then known well enough to lower what was learned
)

// lateness counts how late packets were, in whole frames, to tell how late one
// in 100,000 will be.
type lateness struct {
	late []float64 // packets that were so many frames late, older ones weighted less
	n    float64
	seen int // packets in all
}

// add takes the lateness of one packet.
func (l *lateness) add(frames float64) {
	at := max(0, int(math.Ceil(frames)))
	for at >= len(l.late) {
		l.late = append(l.late, 0)
	}
	l.late[at]++
	l.n++
	l.seen++
	if l.n < halveAt {
		return
	}
	l.n = 0
	for i := range l.late {
		l.late[i] /= 2
		l.n += l.late[i]
	}
}

// quantile is the lateness that a share lateBudget of packets exceeds. So far out
// there are few or none, so the tail is extended as an exponential one: the mean
// excess over a high threshold is its scale (peaks over threshold: J. Pickands,
// Annals of Statistics 3, 1975, with the shape set to 0).
func (l *lateness) quantile() float64 {
	if l.n == 0 {
		return 0
	}
	want := math.Min(math.Max(math.Min(leastTail, l.n/4), l.n*tailShare), mostTail)
	tail, excess := 0.0, 0.0 // packets later than the threshold, sum of their lateness
	threshold := len(l.late)
	for threshold > 0 && tail < want {
		threshold--
		tail += l.late[threshold]
		excess += l.late[threshold] * float64(threshold)
	}
	scale := excess/tail - float64(threshold)
	return float64(threshold) + scale*math.Max(0, math.Log(tail/(l.n*lateBudget)))
}

// proven says that enough was seen for the quantile to count against what an
// earlier session learned.
func (l *lateness) proven() bool { return l.seen >= provenAfter }

package signal

import "math"

// Presence returns the share, 0 to 1, of a recording in which a tone of hz was
// there: the stretches of 10 ms in which it has at least half of its level of
// dbfs.
func Presence(samples []float32, rateHz int, hz, dbfs float64) float64 {
	stretch := rateHz / 100
	f := newFitter(2*math.Pi*hz/float64(rateHz), stretch)
	least := math.Pow(10, dbfs/20) / 2
	there, all := 0, 0
	for at := 0; at+stretch <= len(samples); at += stretch {
		all++
		if f.fit(samples[at:]).amplitude >= least {
			there++
		}
	}
	return float64(there) / float64(max(1, all))
}

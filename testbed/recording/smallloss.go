package recording

import "math"

const (
	lateShare   = 0.5  // of a period: a cycle that comes later than this may be a server that lost time
	leastLoss   = 3    // frames: less may be wake-ups that are all late for a while
	windowNs    = 20e6 // before and after it in which the earliest cycle is sought,
	leastCycles = 8    // but in no fewer cycles
	skipped     = 2    // the late cycle and the next, which is not on the new grid yet
)

// smallLosses lists where the server's grid moved by less than jackprobe can see
// when it happens. A server that comes a period and a bit too late loses the bit:
// from then on even the earliest cycle is that much later than before.
func (r *Recording) smallLosses() (losses []Loss) {
	nsPerFrame := 1e9 / float64(r.RateHz)
	late := make([]float64, len(r.Cycles)) // ns against frames played, missed and lost
	played := 0
	for k, cycle := range r.Cycles {
		if k > 0 {
			before := r.Cycles[k-1]
			missed := int(int32(cycle.FrameTime - before.FrameTime - before.Frames))
			played += int(before.Frames) + missed + int(cycle.LostFrames)
		}
		late[k] = float64(cycle.MonotonicNs-r.Cycles[0].MonotonicNs) - float64(played)*nsPerFrame
	}
	for k := leastCycles; k+skipped+leastCycles <= len(r.Cycles); k++ {
		periodNs := float64(r.Cycles[k].Frames) * nsPerFrame
		n := max(leastCycles, int(windowNs/periodNs))
		before := earliestOf(late[max(0, k-n):k])
		if late[k]-before < lateShare*periodNs {
			continue
		}
		after := earliestOf(late[k+skipped : min(len(late), k+skipped+n)])
		if moved := (after - before) / nsPerFrame; moved >= leastLoss && moved < float64(r.Cycles[k].Frames) {
			losses = append(losses, Loss{r.starts[k], r.Cycles[k].MonotonicNs, int(math.Round(moved))})
			k += skipped + n // the cycles before are on the old grid until then
		}
	}
	return losses
}

func earliestOf(late []float64) float64 {
	least := math.Inf(1)
	for _, ns := range late {
		least = math.Min(least, ns)
	}
	return least
}

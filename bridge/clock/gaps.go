package clock

import (
	"math"
	"slices"
)

// gaps are what was heard because packets came too late for the cycle that needed them: the
// evidence for a larger jitter margin. Packets that are late together are one gap. Not every
// gap is evidence:
//
//   - A server that loses time sends nothing meanwhile, and its next packets look late until
//     its media clock has found out. What is late around a discontinuity, or around a step of
//     a clock, would be a gap with any margin.
//   - A stall that is longer than the bound is not covered by any margin that is chosen. Its
//     later packets are less late than its first, and tell no more than that.
//   - While this end's own server is late, no cycle needs a packet: then there is no gap.
type gaps struct {
	perHour  float64 // the budget: gaps an hour that are not worth a frame; 0: each one is
	spanNs   int64   // what is this close in time belongs together
	fromNs   int64   // since when gaps are counted
	lostNs   int64   // when a server lost time last
	anyLost  bool
	evidence []gap // oldest first
}

// gap is one interruption, and the jitter margin in frames that would have avoided it.
type gap struct {
	timeNs int64
	needs  float64
}

// late takes a packet that came too late, and the margin that it would have needed.
func (g *gaps) late(needs float64, timeNs int64) {
	if g.near(timeNs) {
		return
	}
	if n := len(g.evidence); n > 0 && timeNs-g.evidence[n-1].timeNs < g.spanNs {
		g.evidence[n-1].needs = math.Max(g.evidence[n-1].needs, needs)
		return
	}
	g.evidence = append(g.evidence, gap{timeNs, needs})
	if len(g.evidence) > mostGaps {
		g.evidence = g.evidence[1:]
	}
}

// near says that a time is close to one at which a server lost time.
func (g *gaps) near(timeNs int64) bool { return g.anyLost && timeNs-g.lostNs < g.spanNs }

// lostTime takes that a server lost time, or that a clock stepped: what was late just now is
// no evidence, and neither is what will be.
func (g *gaps) lostTime(timeNs int64) {
	g.lostNs, g.anyLost = timeNs, true
	g.evidence = slices.DeleteFunc(g.evidence, func(x gap) bool { return timeNs-x.timeNs < g.spanNs })
}

// raise is what speaks for a larger margin.
type raise struct {
	needs    float64 // frames: the least margin that keeps the budget
	gaps     int     // that there were
	inNs     int64   // the time in which they were
	newestNs int64   // when the last of them was; 0: there is none
}

// judge says whether the gaps of late, at a margin, exceed the budget by more than chance,
// and which margin would have kept it. Gaps that need more than most are passed over.
func (g *gaps) judge(nowNs int64, margin, most float64) (found raise, exceeded bool) {
	window := math.Inf(1)
	if g.perHour > 0 {
		window = judgedGaps / g.perHour * hourNs
	}
	g.evidence = slices.DeleteFunc(g.evidence, func(x gap) bool {
		old := nowNs-x.timeNs >= g.spanNs // no server turned out to have lost time
		return old && (x.needs <= margin || x.needs > most || float64(nowNs-x.timeNs) > window)
	})
	var needs []float64
	for _, x := range g.evidence {
		if nowNs-x.timeNs >= g.spanNs {
			needs, found.newestNs = append(needs, x.needs), x.timeNs
		}
	}
	found.gaps = len(needs)
	found.inNs = int64(math.Min(float64(nowNs-g.fromNs), window))
	allowed := g.perHour * float64(found.inNs) / hourNs
	least := leastGaps
	if g.perHour == 0 {
		least = 1
	}
	if found.gaps < least || float64(found.gaps) <= allowed+chance*math.Sqrt(allowed) {
		return found, false
	}
	slices.SortFunc(needs, func(a, b float64) int { return int(math.Copysign(1, b-a)) })
	kept := int(allowed)
	if g.perHour > 0 {
		kept = max(1, kept) // one may have been extraordinary
	}
	found.needs = needs[min(kept, len(needs)-1)]
	return found, true
}

// saved says how many of the gaps a margin would have avoided.
func (g *gaps) saved(margin float64, nowNs int64) (n int) {
	for _, x := range g.evidence {
		if nowNs-x.timeNs >= g.spanNs && x.needs <= margin {
			n++
		}
	}
	return n
}

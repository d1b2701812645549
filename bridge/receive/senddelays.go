package receive

import (
	"time"

	"archibald-bridge/bridge/clock"
)

const (
	delayWindows = 120 // half seconds between two of Measure: a minute

	// blameWindows is in how many windows of the minute a packet must have left late: one or
	// two may be accidents.
	blameWindows = 3

	// blameMargin is the least jitter margin for which we look for a reason: it is the
	// sender when half of the margin is the sender's.
	blameMargin = 5 * time.Millisecond
)

// sendDelays is how late packets left the peer in the last minute, as it says.
type sendDelays struct {
	nowNs    int64   // the latest of this window
	latestNs []int64 // the same of the windows before
	blamedNs int64   // the same, if the latency is due to it; else 0
}

func (s *sendDelays) add(ns int64) { s.nowNs = max(s.nowNs, ns) }

// close ends a window.
func (s *sendDelays) close() {
	s.latestNs = append(s.latestNs, s.nowNs)
	s.latestNs = s.latestNs[max(0, len(s.latestNs)-delayWindows):]
	s.nowNs = 0
}

// laterThan counts the windows in which a packet left later than ns, and returns the latest
// time of all windows.
func (s *sendDelays) laterThan(ns int64) (windows int, latestNs int64) {
	for _, late := range s.latestNs {
		if late > ns {
			windows++
		}
		latestNs = max(latestNs, late)
	}
	return windows, latestNs
}

// blame notes how late packets leave the peer, if that is why the latency was chosen. The
// note stays as long as the latency does.
func (s *sendDelays) blame(c clock.Status, rateHz int, wanted Latency) {
	if !c.Playing || wanted.Asked() || c.LeastFrames == 0 {
		return
	}
	margin := time.Duration((c.TargetFrames - float64(c.LeastFrames)) * 1e9 / float64(rateHz))
	if margin < blameMargin { // or it was given back
		s.blamedNs = 0
		return
	}
	// At least half of the packets' delay variation must come from the sender, and the
	// latest packet must account for half of the margin.
	all := time.Duration(c.PDVUs.P99 * float64(time.Microsecond))
	windows, latestNs := s.laterThan(int64(max(blameMargin, all) / 2))
	if windows >= blameWindows && 2*time.Duration(latestNs) >= margin {
		s.blamedNs = max(s.blamedNs, latestNs)
	}
}

// SenderLateNs is how late packets leave the peer, where that is what the latency is for;
// else 0.
func (d *Direction) SenderLateNs() int64 { return d.delays.blamedNs }

// ForgetDelays begins to look at the peer's send delay again.
func (d *Direction) ForgetDelays() { d.delays = sendDelays{} }

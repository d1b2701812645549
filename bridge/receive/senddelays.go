package receive

import (
	"time"

	"archibald-bridge/bridge/clock"
)

const (
	delayWindows = 120 // half seconds between two of Measure: a minute

	// blameEvents are as many as raise the latency (bridge/clock/target.go).
	blameEvents = 3

	// blameMargin is the jitter margin that is worth a reason, when half of it is the
	// sender's.
	blameMargin = 5 * time.Millisecond
)

// sendDelays is how late packets left the peer in the last minute, as it says.
type sendDelays struct {
	nowNs    int64   // the latest of this window
	latestNs []int64 // the same of the windows before
	blamedNs int64   // the same, where the latency is for that; else 0
}

func (s *sendDelays) add(ns int64) { s.nowNs = max(s.nowNs, ns) }

// close ends a window.
func (s *sendDelays) close() {
	s.latestNs = append(s.latestNs, s.nowNs)
	s.latestNs = s.latestNs[max(0, len(s.latestNs)-delayWindows):]
	s.nowNs = 0
}

// laterThan is in how many windows a packet left later than that, and the latest of
// them all.
func (s *sendDelays) laterThan(ns int64) (windows int, latestNs int64) {
	for _, late := range s.latestNs {
		if late > ns {
			windows++
		}
		latestNs = max(latestNs, late)
	}
	return windows, latestNs
}

// blame notes how late packets leave the peer where the latency that was chosen is for
// that. It stays so: no latency is lowered within a session.
func (s *sendDelays) blame(c clock.Status, rateHz int, wanted Latency) {
	if !c.Playing || wanted.Asked() || c.LeastFrames == 0 {
		return
	}
	margin := time.Duration((c.TargetFrames - float64(c.LeastFrames)) * 1e9 / float64(rateHz))
	if margin < blameMargin {
		return
	}
	// The delay variation of packets, of which the sender's part is to be at least half,
	// as the latest of it is of the margin.
	all := time.Duration(c.PDVUs.P99 * float64(time.Microsecond))
	windows, latestNs := s.laterThan(int64(max(blameMargin, all) / 2))
	if windows >= blameEvents && 2*time.Duration(latestNs) >= margin {
		s.blamedNs = max(s.blamedNs, latestNs)
	}
}

// SenderLateNs is how late packets leave the peer, where that is what the latency is for;
// else 0.
func (d *Direction) SenderLateNs() int64 { return d.delays.blamedNs }

// ForgetDelays begins to look at the peer's send delay again.
func (d *Direction) ForgetDelays() { d.delays = sendDelays{} }

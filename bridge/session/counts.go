package session

import (
	"archibald-bridge/bridge/status"

	"archibald-bridge/bridge/stream"
)

// since is where counting for the present session began; totals are of the program.
type since struct {
	counters stream.Counters
	xruns    uint64 // of the audio server
	sentLost lossTotal
	lost     uint64 // the most that was shown as the total
}

// begin starts to count a session. What the streams do within it changes nothing.
func (e *End) begin() {
	s := &e.streams.since
	s.counters, s.xruns = e.streams.read(), e.audio.Xruns()
	s.sentLost.next()
	e.streams.counters, e.streams.heard = s.counters, false
}

// lossTotal adds up what the peer of each session says that it lost.
type lossTotal struct{ before, now uint64 }

func (l *lossTotal) see(cumulative int) { l.now = max(l.now, uint64(max(0, cumulative))) }

func (l *lossTotal) next() { l.before, l.now = l.before+l.now, 0 }

func (l lossTotal) total() uint64 { return l.before + l.now }

// grown is how much a counter grew; one that counts what is missing can shrink again.
func grown(now, then uint64) uint64 {
	if now < then {
		return 0
	}
	return now - then
}

func (s *streams) countSent(d *status.Direction) {
	now, then := s.counters.Sent, s.since.counters.Sent
	d.Total = status.Totals{
		Packets: now.Packets, Lost: s.since.sentLost.total(), Xruns: now.Skips, SendErrors: now.SendErrors,
	}
	d.Packets, d.Lost = grown(now.Packets, then.Packets), s.since.sentLost.now
	d.Xruns, d.SendErrors = grown(now.Skips, then.Skips), grown(now.SendErrors, then.SendErrors)
}

func (s *streams) countReceived(d *status.Direction) {
	now, then := s.counters.Received, s.since.counters.Received
	d.Total = totalsOf(now)
	// What was lost can still come, but for who watches totals (Prometheus) one that
	// shrinks has begun anew.
	s.since.lost = max(s.since.lost, now.Lost)
	d.Total.Lost = s.since.lost
	d.RejectedBy = rejectedSince(now, then)
	d.Rejected = d.RejectedBy.Sum()
	d.Packets, d.Lost = grown(now.Packets, then.Packets), grown(now.Lost, then.Lost)
	d.Late, d.Duplicate = grown(now.DiscardedLate, then.DiscardedLate), grown(now.Duplicate, then.Duplicate)
	d.Recovered = grown(now.Recovered, then.Recovered)
	d.ConcealedFrames, d.Dropouts = grown(now.ConcealedFrames, then.ConcealedFrames), grown(now.Dropouts, then.Dropouts)
	d.Xruns = grown(now.Skips, then.Skips)
}

func totalsOf(r stream.ReceiveCounters) status.Totals {
	by := rejectedSince(r, stream.ReceiveCounters{})
	return status.Totals{
		Packets: r.Packets, Lost: r.Lost, Late: r.DiscardedLate, Duplicate: r.Duplicate, Rejected: by.Sum(), RejectedBy: by,
		Recovered: r.Recovered, ConcealedFrames: r.ConcealedFrames, Dropouts: r.Dropouts, Xruns: r.Skips,
	}
}

func rejectedSince(now, then stream.ReceiveCounters) status.Rejected {
	return status.Rejected{
		Source:      grown(now.WrongSource, then.WrongSource),
		SSRC:        grown(now.WrongSSRC, then.WrongSSRC),
		PayloadType: grown(now.WrongPayload, then.WrongPayload),
		Malformed:   grown(now.Malformed, then.Malformed),
		Outside:     grown(now.Outside+now.Implausible, then.Outside+then.Implausible),
		Kernel:      grown(now.KernelDrops, then.KernelDrops),
		RTCP:        grown(now.RTCPOverBudget+now.RTCPElsewhere, then.RTCPOverBudget+then.RTCPElsewhere),
	}
}

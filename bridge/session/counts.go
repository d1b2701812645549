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
	s.counters, s.xruns = e.readCounters(), e.audio.Xruns()
	s.sentLost.next()
	e.answers = answers{periods: max(1, e.settings.AnswerPeriods)}
	e.streams.counters, e.streams.peer.came = s.counters, false
}

// lossTotal adds up what the peer of each session says that it lost.
type lossTotal struct{ before, now uint64 }

func (l *lossTotal) see(cumulative int) { l.now = max(l.now, uint64(max(0, cumulative))) }

func (l *lossTotal) next() { l.before, l.now = l.before+l.now, 0 }

func (l lossTotal) total() uint64 { return l.before + l.now }

func (s *streams) countSent(d *status.Direction) {
	d.Total = status.SentSince(s.counters.Sent, stream.SendCounters{})
	d.Counts = status.SentSince(s.counters.Sent, s.since.counters.Sent)
	d.Total.Lost, d.Lost = s.since.sentLost.total(), s.since.sentLost.now
}

func (s *streams) countReceived(d *status.Direction) {
	now := s.counters.Received
	d.Total = status.ReceivedSince(now, stream.ReceiveCounters{})
	// A lost packet can still come. But a reader of totals (Prometheus) takes a total that
	// shrinks for a restart.
	s.since.lost = max(s.since.lost, now.Lost)
	d.Total.Lost = s.since.lost
	d.Counts = status.ReceivedSince(now, s.since.counters.Received)
}

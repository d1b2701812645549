package session

import (
	"fmt"
	"slices"

	"archibald-bridge/bridge/report"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
)

// lock is the part of this end in the session.
func (e *End) lock() stream.Lock {
	switch e.session.Agreement.Leader {
	case "":
		return stream.Unlocked
	case e.settings.Role:
		return stream.Leads
	}
	return stream.Follows
}

// lockedAs says it for the status.
func (e *End) lockedAs() string {
	return map[stream.Lock]string{stream.Leads: status.Leads, stream.Follows: status.Follows}[e.lock()]
}

// lockedFrames are the latencies of both directions in the two graphs, which count one time:
// what the leader sends is played in the same cycle, and is back answerPeriods cycles
// later.
func (e *End) lockedFrames() (send, receive int) {
	a := e.session.Agreement
	if e.lock() == stream.Leads {
		return 0, e.answers.periods * a.PeriodFrames
	}
	periods := 1 // until the leader says it
	if back, there := e.streams.reports.PeerLatency(), e.lockedLatency(); back != nil && there.By != "" {
		periodNs := float64(a.PeriodFrames) * 1e9 / float64(a.Receive.RateHz)
		periods = max(1, int((float64(back.OneWay)+there.Stages.Sum())/periodNs+0.5))
	}
	return periods * a.PeriodFrames, 0
}

// lockedLatency is that of the stream received. The way to the follower is what was measured.
// The way back takes the rest of the periods in which the answer is due.
func (e *End) lockedLatency() report.Latency {
	a := e.session.Agreement
	l := e.streams.reports.Latency(report.Playout{RateHz: a.Receive.RateHz, GraphRateHz: a.Receive.RateHz})
	l.Stages.Wait = 0
	if e.lock() == stream.Follows {
		return l
	}
	there := e.streams.reports.PeerLatency()
	if there == nil || l.By == "" {
		return report.Latency{} // not known yet
	}
	turnNs := float64(e.answers.periods*a.PeriodFrames) * 1e9 / float64(a.Receive.RateHz)
	l.Stages.Wait = turnNs - float64(there.OneWay) - l.Stages.Capture - l.Stages.Wire
	l.ErrorNs = int64(there.Error)
	return l
}

// tellIgnored says once of each flag that a locked session has no use for it.
func (e *End) tellIgnored() {
	tell := func(flag, why string) {
		if !slices.Contains(e.toldIgnored, flag) {
			e.toldIgnored = append(e.toldIgnored, flag)
			e.log.Info(flag+" is not used: "+why, "leader", e.session.Agreement.Leader)
		}
	}
	if e.lock() != stream.Unlocked && e.settings.Latency.Asked() {
		tell("--latency", "one end leads, and its periods are the latency")
	}
	if e.lock() == stream.Follows && e.settings.PeriodFrames != 0 {
		tell(fmt.Sprintf("--%s-period", e.settings.Role), "the other end leads, and its period is that of both")
	}
}

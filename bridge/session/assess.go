package session

import (
	"time"

	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/status"
)

// heldFor is how long the last verdict about sessions in which nothing is heard
// stands while the next one is too young for one.
const heldFor = 10 * time.Second

// verdict is what was last diagnosed.
type verdict struct {
	problems []status.Problem
	ns       int64
}

// assess returns what is wrong now, and has the log tell what is new.
func (e *End) assess(nowNs int64) []status.Problem {
	found, known := e.streams.vitals.Diagnose(e.now(nowNs))
	if known || e.futile.sessions == 0 {
		e.verdict = verdict{found, nowNs}
	} else if time.Duration(nowNs-e.verdict.ns) < heldFor {
		found = e.verdict.problems
	}
	found = append(e.audioProblems(found[:len(found):len(found)]), e.wishes()...)
	found = append(found, e.unmatchedRules()...)
	e.told.problems(found, nowNs, e.log)
	e.tellRejected(nowNs)
	return found
}

// now is what diagnoses go by, besides the vitals.
func (e *End) now(nowNs int64) health.Now {
	now := health.Now{
		Ns: nowNs, Us: string(e.settings.Role), Peer: string(e.settings.Role.Other()), Server: e.server, Static: e.settings.Static,
	}
	if e.audioOpen && !e.graph.Freewheels { // for that, libjack takes it from them
		policy, _ := e.audio.RealTime()
		now.NotRealtime = policy != "" && !realtime(policy)
	}
	s := &e.streams
	if !s.running || e.graph.Freewheels { // the state of the audio server says that
		return now
	}
	if e.settings.Static {
		now.Peer = "peer"
	}
	a, refused := e.session.Agreement, e.refused()
	now.Streams = &health.Streams{
		PeerPaused: s.peer.pausedNs != 0, PeerRefused: s.peer.refused, SendDelay: a.SendDelay,
		Sends: a.Send.Channels > 0, SendRefused: refused.send, To: s.to,
		Receives: a.Receive.Channels > 0, ReceiveRefused: refused.receive, At: e.settings.Listen,
		Silent: s.peer.silent, PacketNs: s.peer.packetNs,
		Locked:      health.Locked{Lock: e.lock(), PerMinute: e.cyclesPerMinute(), AnswerPeriods: e.answers.periods},
		PayloadType: e.incomingType(), Source: e.session.PeerAddr.Addr(), SenderLateNs: s.receive.SenderLateNs(),
	}
	if now.Streams.SenderLateNs > 0 {
		now.Streams.LatencyMs = e.latency().Stages.Sum() / 1e6
	}
	return now
}

func realtime(policy string) bool { return policy == "SCHED_FIFO" || policy == "SCHED_RR" }

// tellRejected writes a line a minute at the most about datagrams that were not used.
func (e *End) tellRejected(nowNs int64) {
	now := e.streams.counters.Received
	by := status.ReceivedSince(now, e.toldRejected).RejectedBy
	if by.Sum() == 0 || !e.told.again("rejected datagrams", nowNs) {
		return
	}
	e.toldRejected = now
	attributes := []any{"sum", by.Sum()}
	for _, reason := range by.Reasons() {
		if reason.Count > 0 {
			attributes = append(attributes, reason.Name, reason.Count)
		}
	}
	e.log.Info("datagrams rejected", attributes...)
}

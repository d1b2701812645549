package session

import (
	"net/netip"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
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
	now := e.evidence(nowNs)
	found := diagnose(now)
	if now.known || e.futile.sessions == 0 {
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

// evidence collects what diagnose goes by.
func (e *End) evidence(nowNs int64) evidence {
	found := evidence{us: string(e.settings.Role), peer: string(e.settings.Role.Other()), server: e.server, static: e.settings.Static}
	if e.audioOpen && !e.graph.Freewheels { // for that, libjack takes it from them
		policy, _ := e.audio.RealTime()
		found.notRealtime = policy != "" && !realtime(policy)
	}
	s := &e.streams
	if !s.running || e.graph.Freewheels { // the state of the audio server says that
		return found
	}
	if e.settings.Static {
		found.peer = "peer"
	}
	found.peerPaused = s.peer.pausedNs != 0
	a, refused := e.session.Agreement, e.refused()
	from, to, seconds, known := s.vitals.window()
	found.known, found.seconds, found.headers = known, seconds, headerBytes(s.to)
	v, within := &s.vitals, func(ns int64, d time.Duration) bool { return ns != 0 && time.Duration(nowNs-ns) < d }
	found.reports = within(v.reportNs, reportsWithin)

	packets, bytes := stream.Grown(to.Sent.Packets, from.Sent.Packets), stream.Grown(to.Sent.Bytes, from.Sent.Bytes)
	found.send = sendEvidence{
		agreed: a.Send.Channels > 0, refused: refused.send, to: s.to.String(),
		cycles: stream.Grown(to.Sent.Cycles, from.Sent.Cycles), packets: packets, errors: stream.Grown(to.Sent.SendErrors, from.Sent.SendErrors),
		unheard: found.reports && v.deaf >= deafReports && !within(v.startNs, deafAfter),
	}
	if to.Sent.SendErrno != 0 {
		found.send.reason = to.Sent.SendErrno
	}
	if packets > 0 {
		found.send.datagram = datagramBytes(int(bytes/packets), a.SendDelay)
	}

	arrived := stream.Grown(to.Received.Packets, from.Received.Packets)
	found.receive = receiveEvidence{
		agreed: a.Receive.Channels > 0, refused: refused.receive, at: e.settings.Listen.String(),
		cycles: stream.Grown(to.Received.Cycles, from.Received.Cycles), packets: arrived, silent: s.peer.silent && arrived == 0,
		rejected:  status.ReceivedSince(to.Received, from.Received).RejectedBy,
		peerSends: within(v.sendsNs, reportsWithin) && v.sendsFromNs > s.peer.packetNs,
		peerQuiet: within(v.quietNs, reportsWithin) && v.quietNs > max(v.sendsNs, s.peer.packetNs),
		datagram:  datagramBytes(v.payload, a.SendDelay), wantedPayload: e.incomingType(), wantedSource: e.session.PeerAddr.Addr().String(),
		seenPayload: to.Received.SeenPayloadType, seenSource: to.Received.SeenSource.String(),
	}
	if known && found.receive.silent {
		found.receive.rejected = v.instead()
	}
	if found.receive.senderLateNs = s.receive.SenderLateNs(); found.receive.senderLateNs > 0 {
		found.receive.latencyMs = e.latency().Stages.Sum() / 1e6
	}
	return found
}

// datagramBytes are those of a packet with a payload (RFC 3550, section 5.1, and the
// header extension where it was agreed on); 0 where that is not known.
func datagramBytes(payload int, sendDelay bool) int {
	const header, extension = 12, 8
	switch {
	case payload == 0:
		return 0
	case sendDelay:
		return payload + header + extension
	}
	return payload + header
}

// headerBytes are those of IP and UDP on the way to a peer.
func headerBytes(to netip.AddrPort) int {
	if to.Addr().Unmap().Is4() {
		return 20 + 8
	}
	return 40 + 8
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

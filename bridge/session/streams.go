package session

import (
	"net/netip"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/receive"
	"archibald-bridge/bridge/report"
	"archibald-bridge/bridge/send"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// streams are the two directions of the session, while there is one, and what they tell
// of the peer.
type streams struct {
	send    *send.Direction
	receive *receive.Direction
	reports *report.Reporter

	running bool
	to      netip.AddrPort // where media goes
	source  netip.AddrPort // where media came from last; invalid before any
	retry   retry          // of what was refused

	counters     stream.Counters
	base         stream.Counters // when the streams were started
	since        since
	packetFrames int // of the peer
	published    report.Published

	peer          presence
	rtcpElsewhere uint64 // RTCP that was not the peer's, in all sessions
	idleAtNs      int64  // 0: not to be
	vitals        health.Vitals
}

// startStreams begins or replaces both directions as the session says. It waits for
// the other of audio server and session when one is missing.
func (e *End) startStreams() {
	if !e.usable() || e.session == nil {
		return
	}
	a, s := e.session.Agreement, &e.streams
	e.stopStreams()
	changed := e.drivePart()
	if e.outdated() {
		if changed || e.lock() == stream.Leads { // whose period changed meanwhile
			e.signaling.Renegotiate()
		}
		return // a new agreement is on its way
	}
	s.to, s.source = e.session.PeerAddr, netip.AddrPort{}
	now := e.clock.monotonicNs()
	s.running, s.peer.silent, s.peer.pausedNs, s.peer.refused = true, false, 0, ""
	e.awaitPeer(now)
	s.base = e.readCounters()
	s.counters = s.base
	s.packetFrames = a.PeerPacketFrames
	s.reports.Begin(report.Session{
		LocalSSRC: a.LocalSSRC, PeerSSRC: a.PeerSSRC, From: e.session.LocalAddr, RateHz: a.Receive.RateHz,
		OneClock: e.onHostClock || a.PeerOnHostClock, Since: s.base,
	})
	e.readdressed.Store(false)
	e.tellIgnored()
	e.startReceiver()
	e.startSender()
	s.retry.wait(now)
	e.settled()
	e.audio.SetActive(true)
	e.machine.SetStreaming(true)
}

// outdated says that the graph is not what was agreed on, so that a new agreement is needed.
func (e *End) outdated() bool {
	a, rate := e.session.Agreement, e.session.Agreement.Send.RateHz != e.graph.RateHz
	switch e.lock() {
	case stream.Leads:
		return rate || a.PeriodFrames != e.graph.PeriodFrames
	case stream.Follows: // another graph follows as it is told
		return e.settings.Driven && (rate || a.PeriodFrames != e.graph.PeriodFrames)
	}
	return rate
}

func (e *End) startSender() {
	if e.graph.Freewheels {
		return
	}
	if e.drive.err != nil {
		e.streams.send.Refuse(e.drive.err)
		return
	}
	a := e.session.Agreement
	e.streams.send.Start(send.Stream{
		Format: a.Send, SSRC: a.LocalSSRC, To: e.streams.to, Source: e.session.LocalAddr, PeriodFrames: e.graph.PeriodFrames,
		Terms: a.Terms, MaxBitrate: a.PeerMaxBitrate, Lock: e.lock(),
	})
}

func (e *End) startReceiver() {
	if e.graph.Freewheels {
		e.streams.receive.AcceptReports(e.incoming())
		return
	}
	if e.drive.err != nil {
		e.streams.receive.Refuse(e.incoming(), e.drive.err)
		return
	}
	e.streams.receive.Start(e.incoming())
}

// incoming is the stream that the session is to receive.
func (e *End) incoming() receive.Stream {
	a := e.session.Agreement
	s := receive.Stream{
		Format: a.Receive, GraphRateHz: e.graph.RateHz, PayloadType: e.incomingType(), SSRC: a.PeerSSRC, From: e.from(),
		Terms: a.Terms, PeriodFrames: a.PeerPeriodFrames, PacketFrames: a.PeerPacketFrames, Peer: e.peerKey(),
		Lock: e.lock(), AnswerPeriods: e.answers.periods,
	}
	if e.settings.Static {
		s.Terms.Redundancy = proto.Redundancy{} // nobody knows what the peer repeats
	}
	return s
}

// from is whose media and reports are taken: those of the machine at the other end of
// the control connection, or of the peer named. Without either the first source is the
// peer, and of a group there may be any.
func (e *End) from() netip.Addr {
	from := e.session.PeerAddr.Addr()
	if e.settings.Static && (e.settings.Incoming != nil || from.IsMulticast()) {
		return netip.Addr{}
	}
	return from
}

func (e *End) peerKey() string {
	address := e.session.PeerAddr.Addr()
	if in := e.settings.Incoming; in != nil {
		address = in.Address
	}
	return e.session.Agreement.PeerName + "@" + address.String()
}

// peerName is where sound goes to, or, where none is sent, comes from; "" before it does.
func (e *End) peerName() string {
	for _, address := range []netip.AddrPort{e.streams.to, e.core.MediaSource()} {
		if address.IsValid() {
			return address.String()
		}
	}
	return ""
}

// stopStreams ends both directions.
func (e *End) stopStreams() {
	s := &e.streams
	if !s.running {
		return
	}
	s.running = false
	s.notePeer()
	s.send.Stop()
	s.receive.Stop()
	s.idleAtNs = e.clock.monotonicNs() + int64(idleAfter)
}

// rest lets the graph go its own way when no session came back. Not at once:
// waking nodes up again disturbs programs that play into them.
func (e *End) rest(nowNs int64) {
	if s := &e.streams; s.idleAtNs != 0 && nowNs >= s.idleAtNs {
		s.idleAtNs = 0
		e.audio.SetActive(false)
		e.giveBack()
		e.machine.SetStreaming(false)
	}
}

// periodChanged adapts the packets to the new period. The receiver's servo sees
// the period by itself, but not how late the repeats come, which are counted in
// our periods.
func (e *End) periodChanged() {
	switch {
	case !e.streams.running:
	case e.lock() == stream.Leads, e.signaling != nil && e.session.Agreement.Redundancy.Distance > 0:
		e.signaling.Renegotiate()
	default:
		e.startSender()
	}
}

// tickStreams is the control loop. Nothing depends on it being on time: until the next
// one the ratio stays what it is.
func (e *End) tickStreams(nowNs int64) {
	e.readReports(nowNs)
	s := &e.streams
	if !s.running {
		e.rest(nowNs)
		return
	}
	e.tryAgain(nowNs)
	e.readdress()
	s.receive.Observe(s.packetCame)
	if !e.paused() {
		s.receive.Steer()
	}
	e.followSource()
	e.watch(nowNs)
}

// packetCame takes a packet of the peer's sound.
func (s *streams) packetCame(o stream.Observation) {
	s.peer.packetNs, s.packetFrames = o.TimeNs, int(o.Frames)
	s.soundAt(o.TimeNs)
	s.reports.Observe(o)
}

// readCounters returns the counters: the core's, and our own.
func (e *End) readCounters() stream.Counters {
	c := e.core.Counters()
	c.Received.RTCPElsewhere = e.streams.rtcpElsewhere
	return c
}

// count reads the counters and the servo's state for status and reports, and
// writes the report when it is due: it says where the stream is now.
func (e *End) count(nowNs int64) {
	s := &e.streams
	s.counters = e.readCounters()
	s.since.sentLost.see(s.reports.PeerLost())
	s.vitals.Sample(nowNs, s.counters)
	s.receive.Measure()
	if !s.running {
		return
	}
	e.chooseAnswers()
	e.publishLatency()
	if s.reports.Due(nowNs) {
		s.reports.Write(nowNs, e.clock.monotonicNs(), e.reportsTo(), e.reportState())
	}
}

// followSource sends to the port that the peer's media really comes from: what
// translates addresses on the way gives another one, at any time.
func (e *End) followSource() {
	if from := e.core.MediaSource(); from.IsValid() && from != e.streams.source {
		e.streams.source = from
		e.follow(from)
	}
}

// follow sends to where the peer was found.
func (e *End) follow(from netip.AddrPort) {
	if from == e.streams.to || e.settings.Static {
		return
	}
	e.tellFew("the peer is heard from another port, sending there", "until now", e.streams.to, "seen", from)
	e.streams.to = from
	e.startSender()
}

// latency is that of the stream received, as far as it is known.
func (e *End) latency() report.Latency {
	if e.lock() != stream.Unlocked {
		return e.lockedLatency()
	}
	a, c := e.session.Agreement, e.streams.receive.Clock()
	p := report.Playout{RateHz: a.Receive.RateHz, GraphRateHz: e.graph.RateHz, DelayFrames: c.DelayFrames, PeriodFrames: e.graph.PeriodFrames}
	if !c.RateLocked {
		p.LookaheadFrames = e.streams.receive.LookaheadFrames()
	}
	if codec.Codes(a.Receive.Encoding) {
		period := a.PeerPeriodFrames
		if period == 0 {
			period = e.graph.PeriodFrames // not said
		}
		p.PacketFrames, p.CodecFrames = max(0, e.streams.packetFrames-period), codec.LookaheadFrames
	}
	return e.streams.reports.Latency(p)
}

// publishLatency tells the graph the latencies of both directions when they moved.
func (e *End) publishLatency() {
	if e.lock() != stream.Unlocked {
		if send, receive := e.lockedFrames(); e.streams.published.Set(send, receive) {
			e.audio.SetLatency(send, receive)
		}
		return
	}
	var received *report.Latency
	if e.streams.receive.Clock().Playing {
		latency := e.latency()
		received = &latency
	}
	if send, receive, moved := e.streams.published.Moved(e.graph.RateHz, received, e.streams.reports.PeerLatency()); moved {
		e.audio.SetLatency(send, receive)
	}
}

package session

import (
	"math"
	"net/netip"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/report"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// readReports takes the RTCP that came in since the last tick. Only the peer's counts.
func (e *End) readReports(nowNs int64) {
	s := &e.streams
	for {
		in, ok := s.reports.Next()
		if !ok {
			return
		}
		if !s.running {
			continue
		}
		if in.Err != nil || !e.fromPeer(in.From, in.SSRC, nowNs) {
			s.rtcpElsewhere++
			continue
		}
		s.peer.reportNs = in.ArrivalNs
		if !e.mediaComes(nowNs) {
			e.follow(netip.AddrPortFrom(in.From.Addr().Unmap(), in.From.Port()))
		}
		s.vitals.Reported(in.Report, e.session.Agreement.LocalSSRC, in.ArrivalNs, s.counters.Sent.Packets)
		s.reports.Take(in, s.receive.ArrivalNs)
		s.peer.refused = in.Refused
		e.peerPauses(in.Paused, in.ArrivalNs)
		if in.Bye && e.signaling != nil {
			e.drop("the peer said goodbye: " + in.ByeReason)
			return
		}
	}
}

// fromPeer says whether a report is the peer's: with its SSRC, from its address, and
// while its media comes, from the same port as that. Without a session nobody agreed on
// one port for both.
func (e *End) fromPeer(from netip.AddrPort, ssrc uint32, nowNs int64) bool {
	if peers := e.session.Agreement.PeerSSRC; peers != 0 && ssrc != peers {
		return false
	}
	if !e.settings.Static && e.mediaComes(nowNs) {
		return from == e.core.MediaSource()
	}
	return from.Addr().Unmap() == e.streams.to.Addr().Unmap()
}

// reportState is what a report says of our streams.
func (e *End) reportState() report.State {
	s, a := &e.streams, e.session.Agreement
	state := report.State{Counters: s.counters, RateHz: a.Send.RateHz, Latency: e.toldLatency(), Paused: e.graph.Freewheels, Refused: e.cannot()}
	if a.Send.Channels > 0 && !codec.Codes(a.Send.Encoding) { // of a coded stream the core tells of the cycle
		state.LastPacketFrames = max(0, e.graph.PeriodFrames-s.send.PacketFrames(a.Send, e.graph.PeriodFrames))
	}
	return state
}

// cannot is why this end cannot send or receive what was agreed, in a line for the peer: what was
// refused, or, where the peer's packets are to drive the graph, what hinders that or keeps it mute.
func (e *End) cannot() string {
	if reason := e.refused().reason(); reason != "" || e.lock() != stream.Follows {
		return reason
	}
	return e.trouble
}

// toldLatency is what this end tells the peer of its stream; nil while it is not
// measured.
func (e *End) toldLatency() *proto.Latency {
	if !e.streams.receive.Clock().Playing {
		return nil
	}
	return e.latency().ToPeer(e.session.Agreement.PeerSSRC)
}

// reportsTo is where reports go; the zero AddrPort: nowhere. Only who agreed on one port
// for RTP and RTCP can tell them apart (RFC 5761, section 5.1.1): PipeWire's receiver takes
// a report for the first packet of sound, and then no other's sound. A plain
// stream's reports go to the port above it (RFC 3550, section 11).
func (e *End) reportsTo() netip.AddrPort {
	to := e.streams.to
	if !e.settings.Static || !to.IsValid() {
		return to
	}
	if to.Port() == math.MaxUint16 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(to.Addr(), to.Port()+1)
}

// sayBye tells the peer that this end leaves.
func (e *End) sayBye(reason string) {
	if e.streams.running {
		e.streams.reports.Bye(e.clock.monotonicNs(), e.reportsTo(), e.reportState(), reason)
	}
}

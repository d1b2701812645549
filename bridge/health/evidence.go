package health

import (
	"net/netip"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
)

// Now is what an end knows of itself at one moment.
type Now struct {
	Ns          int64
	Us, Peer    string // "guest", "host"; of a plain stream "peer"
	Server      string // the audio server in words
	Static      bool
	NotRealtime bool     // the audio threads
	Streams     *Streams // nil: there are none to diagnose
}

// Streams are what is known of both, besides what is counted.
type Streams struct {
	PeerPaused bool // its graph is not in real time
	// PeerRefused is why it cannot send or receive, as it says; "": it can.
	PeerRefused string
	SendDelay   bool // packets have the header extension

	Sends       bool  // it was agreed
	SendRefused error // nil: it can
	To          netip.AddrPort

	Receives       bool
	ReceiveRefused error
	At             netip.AddrPort // where we listen
	Silent         bool           // no sound comes
	PacketNs       int64          // when the last packet came, or the wait for it began
	PayloadType    uint8          // that is expected
	Source         netip.Addr     // the same
	SenderLateNs   int64          // how late packets leave the peer, where the latency is for that; else 0
	LatencyMs      float64        // then
	Locked         Locked         // its Lock is Unlocked where each graph has its own clock
}

// Diagnose says what is wrong. known is false while too little was counted for it.
func (v *Vitals) Diagnose(now Now) (found []status.Problem, known bool) {
	e := v.evidence(now)
	return diagnose(e), e.known
}

// evidence collects what diagnose goes by.
func (v *Vitals) evidence(now Now) evidence {
	found := evidence{us: now.Us, peer: now.Peer, server: now.Server, static: now.Static, notRealtime: now.NotRealtime}
	s := now.Streams
	if s == nil {
		return found
	}
	from, to, seconds, known := v.Window()
	found.peerRefused = s.PeerRefused
	found.peerPaused, found.known, found.seconds, found.headers = s.PeerPaused, known, seconds, headerBytes(s.To)
	within := func(ns int64, d time.Duration) bool { return ns != 0 && time.Duration(now.Ns-ns) < d }
	found.locked, found.minute = s.Locked, v.LastMinute()
	found.reports = within(v.reportNs, reportsWithin)

	packets, bytes := stream.Grown(to.Sent.Packets, from.Sent.Packets), stream.Grown(to.Sent.Bytes, from.Sent.Bytes)
	found.send = sendEvidence{
		agreed: s.Sends, refused: s.SendRefused, to: s.To.String(),
		cycles: stream.Grown(to.Sent.Cycles, from.Sent.Cycles), packets: packets, errors: stream.Grown(to.Sent.SendErrors, from.Sent.SendErrors),
		unheard: found.reports && v.deaf >= deafReports && !within(v.startNs, deafAfter),
	}
	if to.Sent.SendErrno != 0 {
		found.send.reason = to.Sent.SendErrno
	}
	if packets > 0 {
		found.send.datagram = datagramBytes(int(bytes/packets), s.SendDelay)
	}

	arrived := stream.Grown(to.Received.Packets, from.Received.Packets)
	found.receive = receiveEvidence{
		agreed: s.Receives, refused: s.ReceiveRefused, at: s.At.String(),
		cycles: stream.Grown(to.Received.Cycles, from.Received.Cycles), packets: arrived, silent: s.Silent && arrived == 0,
		rejected:  status.ReceivedSince(to.Received, from.Received).RejectedBy,
		peerSends: within(v.sendsNs, reportsWithin) && v.sendsFromNs > s.PacketNs,
		peerQuiet: within(v.quietNs, reportsWithin) && v.quietNs > max(v.sendsNs, s.PacketNs),
		datagram:  datagramBytes(v.payload, s.SendDelay), wantedPayload: s.PayloadType, wantedSource: s.Source.String(),
		seenPayload: to.Received.SeenPayloadType, seenSource: to.Received.SeenSource.String(),
		senderLateNs: s.SenderLateNs, latencyMs: s.LatencyMs,
	}
	if known && found.receive.silent {
		found.receive.rejected = v.instead()
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

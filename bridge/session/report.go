package session

import (
	"math"
	"net/netip"
	"time"

	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// reporter is the RTCP of the session (RFC 3550, section 6): a sender or receiver
// report each second, BYE at the end, and what the peer reports about our stream.
type reporter struct {
	end    *End
	jitter *proto.JitterEstimator
	buf    []byte

	wroteNs  int64
	lastSR   uint32 // Middle of the peer's last sender report
	lastSRNs int64
	lost     uint64 // at the last report, since the session began
	received uint64 // the same of packets

	sent     [8]sentReport // the last sender reports
	nextSent int

	peer        proto.Reception // the peer's last report about our stream
	havePeer    bool
	peerLatency *proto.Latency // the peer's last word on it; nil: not known
	way         oneWay
}

// sentReport is when a sender report was written, by what the peer calls it.
type sentReport struct {
	middle uint32
	ns     int64
}

func newReporter(e *End) reporter { return reporter{end: e, buf: make([]byte, proto.MaxRTCPBytes)} }

func (r *reporter) reset() {
	*r = newReporter(r.end)
	r.jitter = proto.NewJitterEstimator(r.end.session.Agreement.Receive.RateHz)
}

func (r *reporter) observe(o stream.Observation) {
	r.jitter.Add(o.TimeNs, uint32(o.Media))
	r.way.observe(o.SendDelayNs)
}

// read takes the RTCP that came in since the last tick. Only the peer's counts.
func (r *reporter) read(nowNs int64) {
	for {
		n, from, arrivalNs, ok := r.end.core.ReadRTCP(r.buf)
		if !ok {
			return
		}
		s := &r.end.streams
		if !s.running {
			continue
		}
		report, err := proto.ParseRTCP(r.buf[:n])
		if err != nil || !r.fromPeer(from, report.SSRC, nowNs) {
			s.rtcpElsewhere++
			continue
		}
		s.lastRTCPNs = arrivalNs
		if !s.mediaComes(nowNs) {
			s.follow(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		}
		s.vitals.reported(report, r.end.session.Agreement.LocalSSRC, arrivalNs, s.counters.Sent.Packets)
		if report.Sender != nil {
			r.lastSR, r.lastSRNs = report.Sender.Time.Middle(), arrivalNs
		}
		if l := report.Latency; l == nil || l.SSRC == r.end.session.Agreement.LocalSSRC {
			r.peerLatency = l
		}
		for _, reception := range report.Receptions {
			if reception.SSRC != r.end.session.Agreement.LocalSSRC {
				continue
			}
			r.peer, r.havePeer = reception, true
			if sentNs, ok := r.sentAt(reception.LastSR); ok && report.Sender != nil {
				r.measure(*report.Sender, reception.DelaySinceLastSR, sentNs, arrivalNs)
			}
		}
		s.peerPauses(report.Paused, arrivalNs)
		if report.Bye && r.end.signaling != nil {
			r.end.drop("the peer said goodbye: " + report.ByeReason)
			return
		}
	}
}

// fromPeer says whether a report is the peer's: with its SSRC, from its address, and
// while media is heard, from the same port as that. Without a session nobody agreed on
// one port for both.
func (r *reporter) fromPeer(from netip.AddrPort, ssrc uint32, nowNs int64) bool {
	s := &r.end.streams
	if peers := r.end.session.Agreement.PeerSSRC; peers != 0 && ssrc != peers {
		return false
	}
	if !r.end.settings.Static && s.mediaComes(nowNs) {
		return from == r.end.core.MediaSource()
	}
	return from.Addr().Unmap() == s.to.Addr().Unmap()
}

// mediaComes says whether the peer's media comes; else its reports are all that tells its port.
func (s *streams) mediaComes(nowNs int64) bool {
	return s.end.core.MediaSource().IsValid() && time.Duration(nowNs-s.lastPacketNs) < silentAfter
}

// write sends the report when it is due.
func (r *reporter) write(nowNs int64) {
	if time.Duration(nowNs-r.wroteNs) < reportInterval {
		return
	}
	r.wroteNs = nowNs
	r.send(r.report(r.end.clock.monotonicNs()))
}

// sentAt is when the sender report that the peer answers was written.
func (r *reporter) sentAt(middle uint32) (ns int64, ok bool) {
	for _, s := range r.sent {
		if s.middle == middle && middle != 0 {
			return s.ns, true
		}
	}
	return 0, false
}

// bye tells the peer that this end leaves, which it otherwise learns from silence.
func (r *reporter) bye(reason string) {
	if !r.end.streams.running {
		return
	}
	report := r.report(r.end.clock.monotonicNs())
	report.Bye, report.ByeReason = true, reason
	r.send(report)
}

// report describes the moment nowNs, and a sender report the frame before it: its
// two times are of one moment, to the nanosecond.
func (r *reporter) report(nowNs int64) proto.Report {
	s := &r.end.streams
	sent, received := s.counters.Sent, s.counters.Received
	report := proto.Report{SSRC: r.end.session.Agreement.LocalSSRC, CNAME: r.end.cname(), Latency: s.reportedLatency(), Paused: r.end.graph.Freewheels}
	if packets := sent.Packets - s.base.Sent.Packets; packets > 0 {
		timestamp, frameNs := s.mediaAt(nowNs)
		wall, _ := r.end.clock.wall(frameNs)
		report.Sender = &proto.SenderInfo{
			Time: proto.NTPFrom(wall), RTPTimestamp: timestamp,
			Packets: uint32(packets), Octets: uint32(sent.Bytes - s.base.Sent.Bytes),
		}
		r.sent[r.nextSent] = sentReport{report.Sender.Time.Middle(), nowNs}
		r.nextSent = (r.nextSent + 1) % len(r.sent)
		nowNs = frameNs
	}
	if ssrc := r.end.session.Agreement.PeerSSRC; ssrc != 0 && received.Packets > s.base.Received.Packets {
		lost, got := received.Lost-s.base.Received.Lost, received.Packets-s.base.Received.Packets
		reception := proto.Reception{
			SSRC: ssrc, CumulativeLost: int(int64(lost)), HighestSequence: received.HighestSequence,
			Jitter: r.jitter.Jitter(), LastSR: r.lastSR,
		}
		if newLost, all := int64(lost-r.lost), int64(lost-r.lost+got-r.received); newLost > 0 && all > 0 {
			reception.FractionLost = float64(newLost) / float64(all)
		}
		r.lost, r.received = lost, got
		reception.DelaySinceLastSR = time.Duration(nowNs - r.lastSRNs)
		if r.lastSR == 0 || reception.DelaySinceLastSR < 0 {
			reception.LastSR, reception.DelaySinceLastSR = 0, 0
		}
		report.Receptions = []proto.Reception{reception}
	}
	return report
}

// mediaAt is the frame that our graph was at, by its RTP timestamp, and when it
// began: a frame's time is the start of its cycle and its place in that.
func (s *streams) mediaAt(nowNs int64) (timestamp uint32, frameNs int64) {
	sent, period := s.counters.Sent, s.end.graph.PeriodFrames
	last := max(0, period-s.end.packetFrames(s.send)) // the last packet's place in its cycle
	if s.send.Encoding == proto.Opus {
		last = 0 // the core tells of the cycle
	}
	frame := 1e9 / float64(s.send.RateHz)
	cycleNs := sent.LastSendNs - sent.LastCaptureDelayNs
	frames := math.Floor(float64(nowNs-cycleNs) / frame)
	return sent.LastTimestamp + uint32(int64(frames)-int64(last)), cycleNs + int64(math.Round(frames*frame))
}

// to is where reports go; the zero AddrPort: nowhere. Only who agreed on one port for
// RTP and RTCP can tell them apart (RFC 5761, section 5.1.1): PipeWire's receiver takes
// a report for the first packet of sound, and then no other's sound. A plain
// stream's reports go to the port above it (RFC 3550, section 11).
func (r *reporter) to() netip.AddrPort {
	to := r.end.streams.to
	if !r.end.settings.Static || !to.IsValid() {
		return to
	}
	if to.Port() == math.MaxUint16 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(to.Addr(), to.Port()+1)
}

func (r *reporter) send(report proto.Report) {
	to := r.to()
	if !to.IsValid() {
		return
	}
	packet, err := report.Marshal()
	if err == nil {
		err = r.end.core.SendRTCP(packet, r.end.session.LocalAddr, to)
	}
	if err != nil {
		r.end.log.Debug("RTCP not sent", "reason", err)
	}
}

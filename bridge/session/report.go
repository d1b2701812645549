package session

import (
	"time"

	"archibald-bridge/bridge/clock"
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

	peer      proto.Reception // the peer's last report about our stream
	havePeer  bool
	roundTrip time.Duration // 0: not known
}

func newReporter(e *End) reporter { return reporter{end: e, buf: make([]byte, proto.MaxRTCPBytes)} }

func (r *reporter) reset() {
	*r = newReporter(r.end)
	r.jitter = proto.NewJitterEstimator(r.end.session.Agreement.Receive.RateHz)
}

func (r *reporter) observe(o clock.Observation) { r.jitter.Add(o.TimeNs, uint32(o.Media)) }

// read takes the RTCP that came in since the last tick. Only the peer's counts.
func (r *reporter) read(nowNs int64) {
	for {
		n, from, arrivalNs, ok := r.end.core.ReadRTCP(r.buf)
		if !ok {
			return
		}
		s := &r.end.streams
		if !s.running || from.Addr().Unmap() != s.to.Addr().Unmap() {
			continue
		}
		report, err := proto.ParseRTCP(r.buf[:n])
		if ssrc := r.end.session.Agreement.PeerSSRC; err != nil || ssrc != 0 && report.SSRC != ssrc {
			continue
		}
		s.lastRTCPNs = arrivalNs
		if report.Sender != nil {
			r.lastSR, r.lastSRNs = report.Sender.Time.Middle(), arrivalNs
		}
		for _, reception := range report.Receptions {
			if reception.SSRC != r.end.ssrc() {
				continue
			}
			r.peer, r.havePeer = reception, true
			arrival := proto.NTPFrom(r.end.clock.wall(arrivalNs))
			if roundTrip, ok := proto.RoundTrip(arrival, reception); ok {
				r.roundTrip = roundTrip
			}
		}
		if report.Bye && r.end.signaling != nil {
			r.end.drop("the peer said goodbye: " + report.ByeReason)
			return
		}
	}
}

// write sends the report when it is due.
func (r *reporter) write(nowNs int64) {
	if time.Duration(nowNs-r.wroteNs) < reportInterval {
		return
	}
	r.wroteNs = nowNs
	r.send(r.report(nowNs))
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

func (r *reporter) report(nowNs int64) proto.Report {
	s := &r.end.streams
	sent, received := s.counters.Sent, s.counters.Received
	report := proto.Report{SSRC: r.end.ssrc(), CNAME: r.end.cname()}
	if packets := sent.Packets - s.base.Sent.Packets; packets > 0 {
		since := float64(nowNs-sent.LastSendNs) * 1e-9
		report.Sender = &proto.SenderInfo{
			Time:         proto.NTPFrom(r.end.clock.wall(nowNs)),
			RTPTimestamp: sent.LastTimestamp + uint32(int64(since*float64(s.send.RateHz))),
			Packets:      uint32(packets),
			Octets:       uint32(sent.Bytes - s.base.Sent.Bytes),
		}
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
		if r.lastSR != 0 {
			reception.DelaySinceLastSR = time.Duration(nowNs - r.lastSRNs)
		}
		report.Receptions = []proto.Reception{reception}
	}
	return report
}

func (r *reporter) send(report proto.Report) {
	packet, err := report.Marshal()
	if err == nil {
		err = r.end.core.SendRTCP(packet, r.end.streams.to)
	}
	if err != nil {
		r.end.log.Debug("RTCP not sent", "reason", err)
	}
}

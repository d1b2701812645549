package report

import (
	"log/slog"
	"math"
	"net/netip"
	"time"

	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// Interval is how often a report is written.
const Interval = time.Second

// Core is what reports ask of the real-time core.
type Core interface {
	// SendRTCP writes one compound packet from the media socket; from is as Source of
	// the SendPlan.
	SendRTCP(packet []byte, from netip.Addr, to netip.AddrPort) error
	// ReadRTCP takes the oldest RTCP datagram that came in. ok is false when
	// there is none.
	ReadRTCP(buf []byte) (n int, from netip.AddrPort, arrivalNs int64, ok bool)
}

// Parts are what a reporter is made of.
type Parts struct {
	Core  Core
	CNAME string // of this end
	// Wall is a moment of CLOCK_MONOTONIC on the clock that this end's reports are on,
	// and how far that can be off.
	Wall func(ns int64) (time.Time, time.Duration)
	Log  *slog.Logger
	// ClocksDiffer is told, once in a session, that the two ends do not read one clock
	// although both said so, and by how much.
	ClocksDiffer func(time.Duration)
}

// Session is whose reports are written and read.
type Session struct {
	LocalSSRC uint32
	PeerSSRC  uint32          // 0: not known
	From      netip.Addr      // ours that reports leave from; the zero Addr: as the routes say
	RateHz    int             // of the stream received
	OneClock  bool            // both ends say that their reports are on the host's clock
	Since     stream.Counters // when the streams began
}

// Reporter writes a sender or receiver report each second, BYE at the end, and keeps
// what the peer reports about our stream. It is for one goroutine.
type Reporter struct {
	parts   Parts
	session Session
	jitter  *proto.JitterEstimator
	buf     []byte

	wroteNs  int64
	lastSR   uint32 // Middle of the peer's last sender report
	lastSRNs int64
	lost     uint64 // at the last report, since the session began
	received uint64 // the same of packets

	sent     [8]sentReport // the last sender reports
	nextSent int

	peer        proto.Reception // the peer's last report about our stream
	peerLatency *proto.Latency  // the peer's last word on it; nil: not known
	way         oneWay
}

// sentReport is when a sender report was written, by what the peer calls it.
type sentReport struct {
	middle uint32
	ns     int64
}

// New returns a reporter without a session.
func New(parts Parts) *Reporter {
	return &Reporter{parts: parts, buf: make([]byte, proto.MaxRTCPBytes)}
}

// Begin forgets the session before. The first report is due at once.
func (r *Reporter) Begin(s Session) {
	*r = *New(r.parts)
	r.session = s
	r.jitter = proto.NewJitterEstimator(s.RateHz)
}

// Observe takes a packet of the stream received.
func (r *Reporter) Observe(o stream.Observation) {
	r.jitter.Add(o.TimeNs, uint32(o.Media))
	r.way.observe(o.SendDelayNs)
}

// Incoming is a datagram of RTCP. Err is why it is no report.
type Incoming struct {
	proto.Report
	From      netip.AddrPort
	ArrivalNs int64
	Err       error
}

// Next takes the oldest datagram that came in; ok is false when there is none.
func (r *Reporter) Next() (in Incoming, ok bool) {
	n, from, arrivalNs, ok := r.parts.Core.ReadRTCP(r.buf)
	if !ok {
		return Incoming{}, false
	}
	report, err := proto.ParseRTCP(r.buf[:n])
	return Incoming{report, from, arrivalNs, err}, true
}

// Take takes a report of the peer. Arrived is when a frame of its stream arrives, by the
// line of all packets.
func (r *Reporter) Take(in Incoming, arrived func(timestamp uint32) (ns int64, ok bool)) {
	if in.Sender != nil {
		r.lastSR, r.lastSRNs = in.Sender.Time.Middle(), in.ArrivalNs
	}
	if l := in.Latency; l == nil || l.SSRC == r.session.LocalSSRC {
		r.peerLatency = l
	}
	for _, reception := range in.Receptions {
		if reception.SSRC != r.session.LocalSSRC {
			continue
		}
		r.peer = reception
		if sentNs, ok := r.sentAt(reception.LastSR); ok && in.Sender != nil {
			r.measure(*in.Sender, reception.DelaySinceLastSR, sentNs, in.ArrivalNs, arrived)
		}
	}
}

// sentAt is when the sender report that the peer answers was written.
func (r *Reporter) sentAt(middle uint32) (ns int64, ok bool) {
	for _, s := range r.sent {
		if s.middle == middle && middle != 0 {
			return s.ns, true
		}
	}
	return 0, false
}

// PeerLost is how many packets of ours the peer says that it lost; negative: it had
// duplicates.
func (r *Reporter) PeerLost() int { return r.peer.CumulativeLost }

// PeerLatency is what the peer says of the latency of our stream; nil: nothing.
func (r *Reporter) PeerLatency() *proto.Latency { return r.peerLatency }

// State is what a report says of the two streams.
type State struct {
	Counters stream.Counters
	RateHz   int // of the stream sent
	// LastPacketFrames is where in its cycle the last packet sent begins.
	LastPacketFrames int
	Latency          *proto.Latency // of the stream received; nil: not measured
	Paused           bool           // our graph is not in real time
	Refused          string         // why a stream cannot be here; "": both can
}

// Due says whether it is time for a report.
func (r *Reporter) Due(nowNs int64) bool { return time.Duration(nowNs-r.wroteNs) >= Interval }

// MakeDue makes it time for one.
func (r *Reporter) MakeDue() { r.wroteNs = 0 }

// Write sends a report to the peer at a moment; the zero AddrPort: to nobody. The next one
// is due an Interval after dueNs.
func (r *Reporter) Write(dueNs, nowNs int64, to netip.AddrPort, s State) {
	r.wroteNs = dueNs
	r.send(r.report(nowNs, s), to)
}

// Bye tells the peer that this end leaves, which it otherwise learns from silence.
func (r *Reporter) Bye(nowNs int64, to netip.AddrPort, s State, reason string) {
	report := r.report(nowNs, s)
	report.Bye, report.ByeReason = true, reason
	r.send(report, to)
}

// report describes the moment nowNs, and a sender report the frame before it: its
// two times are of one moment, to the nanosecond.
func (r *Reporter) report(nowNs int64, s State) proto.Report {
	sent, received, since := s.Counters.Sent, s.Counters.Received, r.session.Since
	report := proto.Report{SSRC: r.session.LocalSSRC, CNAME: r.parts.CNAME, Latency: s.Latency, Paused: s.Paused, Refused: s.Refused}
	if packets := sent.Packets - since.Sent.Packets; packets > 0 {
		timestamp, frameNs := s.mediaAt(nowNs)
		wall, _ := r.parts.Wall(frameNs)
		report.Sender = &proto.SenderInfo{
			Time: proto.NTPFrom(wall), RTPTimestamp: timestamp,
			Packets: uint32(packets), Octets: uint32(sent.Bytes - since.Sent.Bytes),
		}
		r.sent[r.nextSent] = sentReport{report.Sender.Time.Middle(), nowNs}
		r.nextSent = (r.nextSent + 1) % len(r.sent)
		nowNs = frameNs
	}
	if ssrc := r.session.PeerSSRC; ssrc != 0 && received.Packets > since.Received.Packets {
		lost, got := received.Lost-since.Received.Lost, received.Packets-since.Received.Packets
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
func (s State) mediaAt(nowNs int64) (timestamp uint32, frameNs int64) {
	sent := s.Counters.Sent
	frame := 1e9 / float64(s.RateHz)
	cycleNs := sent.LastSendNs - sent.LastCaptureDelayNs
	frames := math.Floor(float64(nowNs-cycleNs) / frame)
	return sent.LastTimestamp + uint32(int64(frames)-int64(s.LastPacketFrames)), cycleNs + int64(math.Round(frames*frame))
}

func (r *Reporter) send(report proto.Report, to netip.AddrPort) {
	if !to.IsValid() {
		return
	}
	packet, err := report.Marshal()
	if err == nil {
		err = r.parts.Core.SendRTCP(packet, r.session.From, to)
	}
	if err != nil {
		r.parts.Log.Debug("RTCP not sent", "reason", err)
	}
}

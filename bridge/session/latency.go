package session

import (
	"time"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

const (
	// delayResolution is that of DLSR (RFC 3550, section 6.4.1), which ends may
	// round up or down.
	delayResolution = int64(time.Second) / 65536
	// hostClockError is how far the peer's reading of the clock that both ends
	// have can be off: a hypercall takes less.
	hostClockError = int64(10 * time.Microsecond)

	captureShare = 1.0 / 1024 // of the mean that a new packet's lateness is
)

// oneWay is what is known about the way of the peer's stream to this end.
type oneWay struct {
	transit   clock.Transit // from the sender's cycle to the arrival line
	captureNs float64       // mean lateness of the peer's packets; 0: not said
	source    string        // of the newest measurement
	told      bool          // the log says that the clocks are not one
}

// observe takes the sender's word on how late a packet left.
func (w *oneWay) observe(lateNs int64) {
	switch {
	case lateNs < 0:
	case w.captureNs == 0:
		w.captureNs = float64(lateNs)
	default:
		w.captureNs += (float64(lateNs) - w.captureNs) * captureShare
	}
}

// measure takes a sender report that answers one of ours: both say when they
// left, theirs where the stream was at that moment. However the time of the round
// trip was shared between the two ways, the peer's report left in it, so half of
// it bounds the error (Cristian, "Probabilistic clock synchronization", 1989).
func (r *reporter) measure(theirs proto.SenderInfo, held time.Duration, sentNs, arrivalNs int64) {
	if r.end.streams.servo == nil {
		return
	}
	roundTripNs := arrivalNs - sentNs - int64(held)
	if roundTripNs < -delayResolution {
		return // contradicts itself
	}
	roundTripNs = max(roundTripNs, 0)
	leftNs, errorNs := arrivalNs-roundTripNs/2, (roundTripNs+delayResolution)/2
	source := status.LatencyByRoundTrip
	if byHostNs, hostErrorNs, ok := r.byHostClock(theirs.Time, arrivalNs); ok {
		if off := byHostNs - leftNs; off >= -errorNs-hostErrorNs && off <= errorNs+hostErrorNs {
			leftNs, errorNs, source = byHostNs, hostErrorNs, status.LatencyByHostClock
		} else if !r.way.told {
			r.way.told = true
			r.end.tellFew("the two ends do not read one host's clock: one-way latency by round trips",
				"difference", time.Duration(off))
		}
	}
	if arrivedNs, ok := r.end.streams.servo.ArrivalNs(theirs.RTPTimestamp); ok {
		r.way.transit.Add(arrivedNs-leftNs, errorNs)
		r.way.source = source
	}
}

// byHostClock is when the peer wrote a report by the clock that both ends have,
// when they have one: the guest reads its host's, and the peer is that host.
func (r *reporter) byHostClock(written proto.NTPTime, nearNs int64) (ns, errorNs int64, ok bool) {
	if !r.end.onHostClock && !r.end.session.Agreement.PeerOnHostClock {
		return 0, 0, false
	}
	near, readingError := r.end.clock.wall(nearNs)
	return nearNs + int64(written.Time().Sub(near)), int64(readingError) + hostClockError, true
}

// latencyNs is the one-way latency of the receiving direction, from the start of
// the sender's cycle to that of ours, in stages whose sum it is. known is false
// while the way is not measured; it is then left out.
func (s *streams) latencyNs() (stages stagesNs, errorNs int64, known bool) {
	frame := 1e9 / float64(s.receive.RateHz)
	way := &s.reports.way
	wireNs, errorNs, known := way.transit.Value()
	stages = stagesNs{
		capture: way.captureNs, wire: float64(wireNs),
		playout: float64(s.end.graph.PeriodFrames) * frame,
	}
	if !s.clockStatus.RateLocked {
		stages.resample = float64(s.end.core.LookaheadFrames()) * frame
	}
	if s.receive.Encoding == proto.Opus {
		s.codecStages(&stages)
	}
	stages.wait = s.clockStatus.DelayFrames*frame - stages.capture - stages.resample - stages.playout
	return stages, errorNs, known
}

// codecStages takes what packets of Opus cost. The arrival line has them when they
// are decoded, by their first frame: what fills them beyond a period of the sender
// is a part of the way that was measured. What the codec looks ahead is in nothing
// that is measured: its sound is so much older than its timestamps say.
func (s *streams) codecStages(stages *stagesNs) {
	frame := 1e9 / float64(s.receive.RateHz)
	period := s.end.session.Agreement.PeerPeriodFrames
	if period == 0 {
		period = s.end.graph.PeriodFrames // not said
	}
	stages.packet = float64(max(0, s.packetFrames-period)) * frame
	stages.codec = codec.LookaheadFrames * frame
	if _, _, known := s.reports.way.transit.Value(); known {
		stages.wire -= stages.packet
	}
}

// stagesNs says where the time of a frame goes; docs/latency.md defines them.
type stagesNs struct{ capture, packet, codec, wire, wait, resample, playout float64 }

func (s stagesNs) sum() float64 {
	return s.capture + s.packet + s.codec + s.wire + s.wait + s.resample + s.playout
}

func (s *streams) showLatency(d *status.Direction) {
	stages, errorNs, known := s.latencyNs()
	d.LatencyMs.Bridge = milliseconds(stages.sum())
	d.LatencyStagesMs = status.Stages{
		Capture: milliseconds(stages.capture), Packet: milliseconds(stages.packet), Codec: milliseconds(stages.codec), Wire: milliseconds(stages.wire), Wait: milliseconds(stages.wait),
		Resample: milliseconds(stages.resample), Playout: milliseconds(stages.playout),
	}
	if known {
		d.LatencyErrorMs, d.LatencyBy = milliseconds(float64(errorNs)), s.reports.way.source
	}
}

func milliseconds(ns float64) status.Milliseconds { return status.Milliseconds(ns / 1e6) }

// reportedLatency is what this end tells the peer of the stream it receives; nil
// while it is not measured.
func (s *streams) reportedLatency() *proto.Latency {
	if !s.clockStatus.Playing || s.end.session.Agreement.PeerSSRC == 0 {
		return nil
	}
	stages, errorNs, known := s.latencyNs()
	if !known {
		return nil
	}
	return &proto.Latency{
		SSRC: s.end.session.Agreement.PeerSSRC, OneWay: time.Duration(stages.sum()), Error: time.Duration(errorNs),
	}
}

// publishLatency tells the graph the latencies of both directions when one moved
// by two frames or more, and by more than it is uncertain. While one is not known,
// the other is the best guess.
func (s *streams) publishLatency() {
	var send, receive, sendError, receiveError int
	frames := func(d time.Duration) int { return int(d.Seconds()*float64(s.end.graph.RateHz) + 0.5) }
	if s.clockStatus.Playing {
		stages, errorNs, _ := s.latencyNs()
		receive, receiveError = frames(time.Duration(stages.sum())), frames(time.Duration(errorNs))
		send, sendError = receive, receiveError
	}
	if peer := s.reports.peerLatency; peer != nil {
		send, sendError = frames(peer.OneWay), frames(peer.Error)
		if receive == 0 {
			receive, receiveError = send, sendError
		}
	}
	moved := func(now, published, uncertain int) bool {
		return max(now-published, published-now) >= max(2, uncertain)
	}
	if receive == 0 || !moved(send, s.publishedSend, sendError) && !moved(receive, s.publishedReceive, receiveError) {
		return
	}
	s.publishedSend, s.publishedReceive = send, receive
	s.end.audio.SetLatency(send, receive)
}

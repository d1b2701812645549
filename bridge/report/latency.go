package report

import (
	"time"

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

	captureShare = 1.0 / 1024 // of the mean that a new packet's send delay is
)

// oneWay is what is known about the way of the peer's stream to this end.
type oneWay struct {
	transit   transit // from the sender's cycle to the arrival line
	captureNs float64 // mean send delay of the peer's packets; 0: not said
	source    string  // of the newest measurement
	told      bool    // that the clocks are not one
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
func (r *Reporter) measure(theirs proto.SenderInfo, held time.Duration, sentNs, arrivalNs int64, arrived func(uint32) (int64, bool)) {
	arrivedNs, known := arrived(theirs.RTPTimestamp)
	if !known {
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
			r.parts.ClocksDiffer(time.Duration(off))
		}
	}
	r.way.transit.add(arrivedNs-leftNs, errorNs)
	r.way.source = source
}

// byHostClock is when the peer wrote a report by the clock that both ends have,
// when they have one: the guest reads its host's, and the peer is that host.
func (r *Reporter) byHostClock(written proto.NTPTime, nearNs int64) (ns, errorNs int64, ok bool) {
	if !r.session.OneClock {
		return 0, 0, false
	}
	near, readingError := r.parts.Wall(nearNs)
	return nearNs + int64(written.Time().Sub(near)), int64(readingError) + hostClockError, true
}

// Playout is what this end does with the stream received.
type Playout struct {
	RateHz      int     // of the stream
	DelayFrames float64 // of the stream, from arrival line to playout, of the servo
	// LookaheadFrames is how far the resampler reads ahead in the stream; 0: it is not used.
	LookaheadFrames           int
	GraphRateHz, PeriodFrames int // of our graph
	// PacketFrames is what fills a packet of a coded stream beyond a period of its sender,
	// and CodecFrames how much older than its timestamps say its codec makes the sound.
	PacketFrames, CodecFrames int
}

// Latency is the one-way latency of the receiving direction, from the start of
// the sender's cycle to that of ours. It is known within ErrorNs, or, while By is "",
// only without its way.
type Latency struct {
	Stages  Stages
	ErrorNs int64
	By      string
}

// Stages says where the time of a frame goes, in ns; docs/latency.md defines them.
type Stages struct{ Capture, Packet, Codec, Wire, Wait, Resample, Playout float64 }

// Sum is all of it.
func (s Stages) Sum() float64 {
	return s.Capture + s.Packet + s.Codec + s.Wire + s.Wait + s.Resample + s.Playout
}

// Latency is that of a stream that is played so. The arrival line has packets of a coded
// stream when they are decoded, by their first frame: what fills them beyond a period
// of the sender is a part of the way that was measured. What the codec looks ahead is in
// nothing that is measured.
func (r *Reporter) Latency(p Playout) Latency {
	frame := 1e9 / float64(p.RateHz)
	wireNs, errorNs, known := r.way.transit.value()
	s := Stages{
		Capture: r.way.captureNs, Wire: float64(wireNs), Playout: float64(p.PeriodFrames) * 1e9 / float64(p.GraphRateHz), Resample: float64(p.LookaheadFrames) * frame,
		Packet: float64(p.PacketFrames) * frame, Codec: float64(p.CodecFrames) * frame,
	}
	s.Wait = p.DelayFrames*frame - s.Capture - s.Resample - s.Playout
	if !known {
		return Latency{Stages: s}
	}
	s.Wire -= s.Packet
	return Latency{Stages: s, ErrorNs: errorNs, By: r.way.source}
}

// ToPeer is what this end tells the peer of its stream; nil while the way is not
// measured.
func (l Latency) ToPeer(ssrc uint32) *proto.Latency {
	if l.By == "" || ssrc == 0 {
		return nil
	}
	return &proto.Latency{SSRC: ssrc, OneWay: time.Duration(l.Stages.Sum()), Error: time.Duration(l.ErrorNs)}
}

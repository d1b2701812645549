package receive

import (
	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/stream"
)

func (d *Direction) servoConfig(repeats stream.Repeats) clock.Config {
	s, coded := d.stream, codec.Codes(d.stream.Format.Encoding)
	extra := repeats.SpanFrames()
	if coded {
		extra += codec.MarginFrames
	}
	return clock.Config{
		RateHz: s.Format.RateHz, GraphRateHz: s.graphRateHz(), LatencyFrames: d.settings.Latency.FramesAt(s.Format.RateHz, s.graphRateHz()),
		JitterFrames: d.parts.Memory.Jitter(s.Peer), GapsPerHour: d.settings.GapsPerHour, LookaheadFrames: d.parts.Core.LookaheadFrames(),
		PeriodFrames:  s.PeriodFrames,
		DelayByPacket: coded,
		ExtraFrames:   extra, Free: d.settings.FreeClock,
	}
}

// Observe hands the core's observations to the servo, and those of packets to packet.
func (d *Direction) Observe(packet func(stream.Observation)) {
	if d.servo == nil {
		return
	}
	for n := len(d.buf); n == len(d.buf); {
		n = d.parts.Core.Observe(d.buf)
		for _, o := range d.buf[:n] {
			d.servo.Observe(o)
			if o.Kind == stream.KindPacket {
				packet(o)
				d.delays.add(o.SendDelayNs)
			}
		}
	}
}

// Steer hands the servo's decision to the core.
func (d *Direction) Steer() {
	if d.servo == nil || d.locked() {
		return
	}
	decision := d.servo.Decide()
	d.parts.Core.SetRatio(decision.Ratio)
	if decision.Seek {
		d.parts.Core.SeekTo(decision.Offset)
	}
}

// Measure takes the state of the servo, twice a second, and keeps what it learned.
func (d *Direction) Measure() {
	d.delays.close()
	if d.servo == nil {
		return
	}
	if d.locked() {
		d.clock = d.lockedStatus()
		return
	}
	d.clock = d.servo.Status()
	d.tellChanges()
	d.delays.blame(d.clock, d.stream.Format.RateHz, d.settings.Latency)
	d.remember()
}

// lockedStatus is what the servo, which steers nothing here, knows of a stream that is
// locked.
func (d *Direction) lockedStatus() clock.Status {
	_, came := d.servo.ArrivalNs(0)
	return clock.Status{Playing: came, RateLocked: true, PDVUs: d.servo.Status().PDVUs}
}

// Clock is the state of the servo at the last Measure; the zero Status without one.
func (d *Direction) Clock() clock.Status { return d.clock }

// ArrivalNs is when a frame of the stream arrives, by the line of all packets; ok is
// false while that is not known.
func (d *Direction) ArrivalNs(timestamp uint32) (ns int64, ok bool) {
	if d.servo == nil {
		return 0, false
	}
	return d.servo.ArrivalNs(timestamp)
}

// LookaheadFrames is how far the resampler reads past its position, in frames of the stream.
func (d *Direction) LookaheadFrames() int { return d.parts.Core.LookaheadFrames() }

// remember keeps what was learned for the next stream of this peer. A fixed
// latency learns nothing, and what is locked has none to learn.
func (d *Direction) remember() {
	if d.servo == nil || d.locked() || !d.clock.Playing || d.settings.Latency.Asked() {
		return
	}
	if err := d.parts.Memory.SetJitter(d.stream.Peer, d.clock.JitterFrames, d.clock.JitterProven); err != nil {
		d.parts.Log.Warn("cannot keep what was learned about the peer for the next start", "reason", err)
	}
}

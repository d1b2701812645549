package codec

import "archibald-bridge/bridge/stream"

// Sender makes packets of what was captured.
type Sender struct {
	core    stream.SendTap
	encoder Encoder
	nowNs   func() int64

	cycle     stream.Cycle
	packet    []float32 // the frames of the next one so far
	values    int       // that it has when it is full
	channels  int
	nextMedia int64
	payload   [MaxPayloadBytes]byte
}

// NewSender returns a sender of packets of packetFrames, a length that Opus has:
// 120, 240, 480 or 960.
func NewSender(core stream.SendTap, encoder Encoder, channels, packetFrames int, nowNs func() int64) *Sender {
	values := packetFrames * channels
	return &Sender{core: core, encoder: encoder, nowNs: nowNs, channels: channels, values: values, packet: make([]float32, 0, values)}
}

// Work encodes and sends what has been captured.
func (s *Sender) Work() {
	for s.core.TakeCycle(&s.cycle) {
		if s.cycle.Media != s.nextMedia {
			s.packet = s.packet[:0] // lost graph time: a packet cannot span it
		}
		s.nextMedia = s.cycle.Media + int64(s.cycle.Frames)
		s.add()
	}
}

// add packs the cycle.
func (s *Sender) add() {
	for at := 0; at < len(s.cycle.Samples); {
		n := min(len(s.cycle.Samples)-at, s.values-len(s.packet))
		s.packet = append(s.packet, s.cycle.Samples[at:at+n]...)
		at += n
		if len(s.packet) == s.values {
			s.send(s.cycle.Timestamp+uint32(at/s.channels)-uint32(s.values/s.channels), (len(s.cycle.Samples)-at)/s.channels)
			s.packet = s.packet[:0]
		}
	}
}

// send sends the packet that the cycle has completed. The cycle has framesMore after the
// packet's end, because packets and cycles rarely end together. The packet could have left
// that much earlier, so this time is added to its send delay. Otherwise the receiver would
// see the sender's clock in steps.
func (s *Sender) send(timestamp uint32, framesMore int) {
	bytes, err := s.encoder.Encode(s.packet, s.payload[:])
	if err != nil || bytes == 0 {
		return // to the peer it is lost time
	}
	lateNs := s.cycle.SendDelayNs
	if lateNs >= 0 {
		lateNs += s.nowNs() - s.cycle.TimeNs + int64(framesMore)*1e9/RateHz
	}
	s.core.SendCoded(stream.CodedPacket{Payload: s.payload[:bytes], Timestamp: timestamp, Cycle: &s.cycle, SendDelayNs: lateNs})
}

package session

import (
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// opusFrames is the packet time of Opus when none is asked for: 5 ms.
const opusFrames = codec.RateHz / 200

// encode begins to make the packets of a sender of Opus.
func (s *streams) encode(plan stream.SendPlan) error {
	e := s.end
	bitrate := e.settings.Bitrate
	if most := e.session.Agreement.PeerMaxBitrate; most > 0 {
		bitrate = min(bitrate, most)
	}
	encoder, err := e.codec.NewEncoder(plan.Format.Channels, bitrate)
	if err != nil {
		return err
	}
	s.encoding = codec.Start(codec.NewSender(e.tap, encoder, plan.Format.Channels, plan.PacketFrames, e.clock.monotonicNs).Work)
	return nil
}

// decode begins to read the packets of a receiver of Opus.
func (s *streams) decode() error {
	receiver, err := codec.NewReceiver(s.end.tap, s.end.codec, s.receive.Channels, s.end.clock.monotonicNs)
	if err != nil {
		return err
	}
	s.decoding = codec.Start(receiver.Work)
	return nil
}

// distanceUnit is what the distance of repeats counts in: periods of the sender, or,
// of Opus, packets, with which alone it sends.
func distanceUnit(f proto.Format, periodFrames, packetFrames int) int {
	if f.Encoding == proto.Opus {
		return packetFrames
	}
	return periodFrames
}

package codec

import (
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// Tap is where a codec takes sound and packets from the core, and gives packets and sound.
type Tap interface {
	stream.SendTap
	stream.ReceiveTap
}

// RateHz is the only rate of graph that the profile works at: that of Opus' own
// clock (RFC 7587, section 4.1).
const RateHz = proto.OpusRateHz

// MaxChannels is how many channels one Opus stream has.
const MaxChannels = proto.OpusChannels

// LookaheadFrames is how much later sound comes out of the decoder than it went
// into an encoder with restricted low delay: 2.5 ms. A test measures it.
const LookaheadFrames = RateHz / 400

// MaxPayloadBytes is the largest packet made: what RTP, UDP and IPv6 headers leave
// of 1,280 bytes. It bounds 20 ms at 480 kbit/s.
const MaxPayloadBytes = 1200

// maxPacketFrames is the longest packet there can be: 120 ms (RFC 6716, section 3.2.5).
const maxPacketFrames = RateHz * 120 / 1000

// Encoder makes packets. It is for one goroutine.
type Encoder interface {
	// Encode makes a packet of interleaved samples and returns its bytes.
	Encode(samples []float32, packet []byte) (int, error)
}

// Decoder undoes it. It is for one goroutine.
type Decoder interface {
	// Decode fills in interleaved samples and returns how many frames it made.
	Decode(packet []byte, samples []float32) (int, error)
	// Conceal makes up all of samples, a multiple of 2.5 ms, for packets that
	// are lost.
	Conceal(samples []float32) error
}

// Codec makes encoders and decoders at RateHz.
type Codec interface {
	NewEncoder(channels, bitsPerSecond int) (Encoder, error)
	NewDecoder(channels int) (Decoder, error)
}

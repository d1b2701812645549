package proto

import (
	"fmt"
	"strings"
)

// Port is the number of the UDP port for RTP and RTCP (multiplexed, RFC 5761)
// and of the TCP port for the session.
const Port = 4713

// MaxChannels is the largest channel count of one stream that this version
// sends or accepts: what the real-time core and PipeWire hold.
const MaxChannels = 64

// Encoding names how one sample is written in an RTP payload.
type Encoding string

// The encodings of the low-latency path. All are interleaved.
const (
	L16 Encoding = "L16" // 16-bit signed, big-endian (RFC 3551, section 4.5.11)
	L24 Encoding = "L24" // 24-bit signed, big-endian (RFC 3190, section 4)
	F32 Encoding = "F32" // IEEE 754 binary32, little-endian; ours alone, not registered
)

// Opus is the encoding for narrow and lossy paths (RFC 6716, RFC 7587). Its packets
// are not made of samples.
const Opus Encoding = "opus"

// What RFC 7587, section 4, fixes of a stream of Opus, and the longest packet made.
const (
	OpusRateHz    = 48000
	OpusChannels  = 2 // of the rtpmap, whatever the stream has; it has no more
	MaxOpusFrames = 960
)

// Encodings lists every encoding but Opus, the one preferred between two of our own
// ends first: F32 is bit-exact and does not clip above 0 dBFS.
var Encodings = []Encoding{F32, L24, L16}

// ParseEncoding reads an encoding's name, in any case.
func ParseEncoding(s string) (Encoding, error) {
	for _, e := range append([]Encoding{Opus}, Encodings...) {
		if strings.EqualFold(s, string(e)) {
			return e, nil
		}
	}
	return "", fmt.Errorf("format %q: legal are L16, L24, F32, opus", s)
}

// BytesPerSample returns 2, 3 or 4; 0 for Opus and an unknown encoding.
func (e Encoding) BytesPerSample() int {
	switch e {
	case L16:
		return 2
	case L24:
		return 3
	case F32:
		return 4
	}
	return 0
}

// PayloadType returns the dynamic RTP payload type (RFC 3551, section 3) that
// this project uses for the encoding; 0 for an unknown encoding.
func (e Encoding) PayloadType() uint8 {
	switch e {
	case L16:
		return 96
	case L24:
		return 97
	case F32:
		return 98
	case Opus:
		return 111
	}
	return 0
}

// Format is one direction's stream format.
type Format struct {
	Encoding Encoding
	RateHz   int // 8000 to 192000
	Channels int // 1 to MaxChannels
}

// BytesPerFrame is the size of one sample of every channel; 0 of Opus.
func (f Format) BytesPerFrame() int { return f.Encoding.BytesPerSample() * f.Channels }

// String returns the format as SDP's rtpmap writes it, "L24/48000/2"; of Opus with
// the channels that the stream really has.
func (f Format) String() string {
	return fmt.Sprintf("%s/%d/%d", f.Encoding, f.RateHz, f.Channels)
}

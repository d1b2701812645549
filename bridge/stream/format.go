package stream

import "fmt"

// Encoding is how the core writes the payload of a packet.
type Encoding string

// The encodings of the core. All but Coded are interleaved samples.
const (
	L16 Encoding = "L16" // 16-bit signed, big-endian (RFC 3551, section 4.5.11)
	L24 Encoding = "L24" // 24-bit signed, big-endian (RFC 3190, section 4)
	F32 Encoding = "F32" // IEEE 754 binary32, little-endian

	// Coded payloads are made and read by a codec in control, through the tap. The core
	// carries their bytes and knows nothing of the codec.
	Coded Encoding = "coded"
)

// BytesPerSample returns 2, 3 or 4; 0 for Coded and an unknown encoding.
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

// Format is what the core has to know of one direction's sound.
type Format struct {
	Encoding Encoding
	RateHz   int // 8000 to 192000
	Channels int // 1 to 64
}

// BytesPerFrame is the size of one sample of every channel; 0 of Coded.
func (f Format) BytesPerFrame() int { return f.Encoding.BytesPerSample() * f.Channels }

// String returns the format as SDP's rtpmap writes it, "L24/48000/2".
func (f Format) String() string {
	return fmt.Sprintf("%s/%d/%d", f.Encoding, f.RateHz, f.Channels)
}

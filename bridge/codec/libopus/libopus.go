// Package libopus is Opus for bridge/codec: the reference implementation,
// libopus, through github.com/hraban/opus.
package libopus

import (
	"fmt"

	"github.com/hraban/opus"

	bridge "archibald-bridge/bridge/codec"
)

// complexity is libopus' own (0 to 10): 20 ms of stereo take 0.2 ms at it, and 10
// is not heard to be better at these bitrates and packet times.
const complexity = 8

// Codec is libopus.
type Codec struct{}

var _ bridge.Codec = Codec{}

// NewEncoder makes an encoder with restricted low delay, which is CELT only: its
// look-ahead is bridge.LookaheadFrames.
func (Codec) NewEncoder(channels, bitsPerSecond int) (bridge.Encoder, error) {
	e, err := opus.NewEncoder(bridge.RateHz, channels, opus.AppRestrictedLowdelay)
	if err != nil {
		return nil, fmt.Errorf("Opus encoder of %d channels: %w", channels, err)
	}
	if err := e.SetBitrate(bitsPerSecond); err != nil {
		return nil, fmt.Errorf("Opus bitrate %d bit/s: %w", bitsPerSecond, err)
	}
	if err := e.SetComplexity(complexity); err != nil {
		return nil, fmt.Errorf("Opus complexity %d: %w", complexity, err)
	}
	return encoder{e}, nil
}

// NewDecoder makes a decoder. It takes streams of any channel count.
func (Codec) NewDecoder(channels int) (bridge.Decoder, error) {
	d, err := opus.NewDecoder(bridge.RateHz, channels)
	if err != nil {
		return nil, fmt.Errorf("Opus decoder of %d channels: %w", channels, err)
	}
	return decoder{d}, nil
}

type encoder struct{ *opus.Encoder }

func (e encoder) Encode(samples []float32, packet []byte) (int, error) {
	return e.EncodeFloat32(samples, packet)
}

type decoder struct{ *opus.Decoder }

// The library takes a buffer's capacity for its length.
func (d decoder) Decode(packet []byte, samples []float32) (int, error) {
	return d.DecodeFloat32(packet, samples[:len(samples):len(samples)])
}

func (d decoder) Conceal(samples []float32) error {
	return d.DecodePLCFloat32(samples[:len(samples):len(samples)])
}

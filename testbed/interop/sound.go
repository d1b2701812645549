package interop

import (
	"fmt"
	"math"
	"os"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/signal"
)

// toneDBFS is the level of all tones.
const toneDBFS = -12.0

// toneHz is a pitch of its own for every channel; none has a cycle of whole
// periods.
func toneHz(channel int) float64 { return 313 + 101*float64(channel) }

// A case's first channel is a tone, by which sound can be judged that was
// resampled. The others are noise, each of a seed of its own, which tells whether
// every bit arrived, in the right channel. Where the peer resamples all are tones.
func signals(c Case, seed uint64) []probe.Signal {
	all := make([]probe.Signal, c.Channels)
	for i := range all {
		if isTone(c, i) {
			all[i] = probe.Tone(toneHz(i), toneDBFS)
		} else {
			all[i] = probe.Noise(seed + uint64(i))
		}
	}
	return all
}

func isTone(c Case, channel int) bool { return channel == 0 || c.resamples() }

// resamples says that the peer follows the sender's clock by resampling, whatever
// the clocks are: PipeWire's receiver.
func (c Case) resamples() bool {
	return c.Direction == Send && (c.Peer == PipeWire || c.Peer == PipeWireNew)
}

// reference is the noise of a channel as it is on the wire.
func reference(c Case, seed uint64, channel, frames int) []float32 {
	samples := signal.Noise(seed+uint64(channel), 0, frames, false)
	if c.Encoding == proto.L16 {
		for i, x := range samples {
			samples[i] = float32(int(math.RoundToEven(float64(x)*(1<<15)))) / (1 << 15) // by way of an integer there is no -0
		}
	}
	return samples
}

// writeRaw writes what a case's sender plays, as big-endian integers, interleaved.
func writeRaw(path string, c Case, seed uint64, frames int) error {
	size := c.Encoding.BytesPerSample()
	data := make([]byte, frames*c.Channels*size)
	for channel := range c.Channels {
		samples := reference(c, seed, channel, frames)
		if isTone(c, channel) {
			amplitude, turn := math.Pow(10, toneDBFS/20), toneHz(channel)/float64(c.RateHz)
			for i := range samples {
				samples[i] = float32(amplitude * math.Sin(2*math.Pi*math.Mod(turn*float64(i), 1)))
			}
		}
		for i, x := range samples {
			value := int32(math.RoundToEven(float64(x) * float64(int(1)<<(8*size-1))))
			at := (i*c.Channels + channel) * size
			for k := range size {
				data[at+k] = byte(value >> (8 * (size - 1 - k)))
			}
		}
	}
	return os.WriteFile(path, data, 0o600)
}

// readRaw reads such a file.
func readRaw(path string, c Case) ([][]float32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	size := c.Encoding.BytesPerSample()
	frames := len(data) / (size * c.Channels)
	if frames == 0 {
		return nil, fmt.Errorf("nothing was recorded")
	}
	channels := make([][]float32, c.Channels)
	for channel := range channels {
		channels[channel] = make([]float32, frames)
		for i := range frames {
			at := (i*c.Channels + channel) * size
			value := int32(int8(data[at]))
			for k := 1; k < size; k++ {
				value = value<<8 | int32(data[at+k])
			}
			channels[channel][i] = float32(value) / float32(int(1)<<(8*size-1))
		}
	}
	return channels, nil
}

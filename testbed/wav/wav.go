// Package wav reads and writes WAV files with 16-bit, 24-bit and 32-bit float
// samples (RIFF, WAVE_FORMAT_PCM and WAVE_FORMAT_IEEE_FLOAT; the extensible
// header is read, not written). Whole files in memory: recordings of minutes.
package wav

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Encoding is how one sample is stored.
type Encoding int

// The encodings. An integer sample k of b bits stands for k / 2^(b-1).
const (
	Int16   Encoding = 16
	Int24   Encoding = 24
	Float32 Encoding = 32
)

const (
	formatPCM        = 1
	formatFloat      = 3
	formatExtensible = 0xFFFE
)

// Audio is a piece of sound. All channels have the same length.
type Audio struct {
	RateHz   int
	Channels [][]float32 // 1.0 is full scale
}

// Frames returns the length of the sound.
func (a Audio) Frames() int {
	if len(a.Channels) == 0 {
		return 0
	}
	return len(a.Channels[0])
}

// WriteFile writes a to the file path. Integer encodings round to nearest and
// clip at full scale.
func WriteFile(path string, a Audio, encoding Encoding) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(Write(file, a, encoding), file.Close())
}

// Write writes a as a WAV file. The file must stay under 4 GiB, the limit of
// RIFF's 32-bit sizes.
func Write(w io.Writer, a Audio, encoding Encoding) error {
	format := uint16(formatPCM)
	switch encoding {
	case Int16, Int24:
	case Float32:
		format = formatFloat
	default:
		return fmt.Errorf("wav encoding %d: legal are 16, 24, 32", encoding)
	}
	channels := len(a.Channels)
	for i, channel := range a.Channels {
		if len(channel) != a.Frames() {
			return fmt.Errorf("wav channel %d has %d frames, channel 0 has %d", i, len(channel), a.Frames())
		}
	}
	bytesPerFrame := channels * int(encoding) / 8
	size := a.Frames() * bytesPerFrame
	if size > math.MaxUint32-64 {
		return fmt.Errorf("wav data of %d bytes: at most 4 GiB fit in one file", size)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	header := []byte("RIFF")
	header = binary.LittleEndian.AppendUint32(header, uint32(36+size+size%2))
	header = append(header, "WAVEfmt "...)
	header = binary.LittleEndian.AppendUint32(header, 16)
	header = binary.LittleEndian.AppendUint16(header, format)
	header = binary.LittleEndian.AppendUint16(header, uint16(channels))
	header = binary.LittleEndian.AppendUint32(header, uint32(a.RateHz))
	header = binary.LittleEndian.AppendUint32(header, uint32(a.RateHz*bytesPerFrame))
	header = binary.LittleEndian.AppendUint16(header, uint16(bytesPerFrame))
	header = binary.LittleEndian.AppendUint16(header, uint16(encoding))
	header = append(header, "data"...)
	header = binary.LittleEndian.AppendUint32(header, uint32(size))
	out.Write(header)
	var sample [4]byte
	for frame := range a.Frames() {
		for _, channel := range a.Channels {
			putSample(&sample, channel[frame], encoding)
			out.Write(sample[:encoding/8])
		}
	}
	if size%2 == 1 {
		out.WriteByte(0)
	}
	return out.Flush() // bufio keeps the first error of all writes
}

func putSample(to *[4]byte, sample float32, encoding Encoding) {
	if encoding == Float32 {
		binary.LittleEndian.PutUint32(to[:], math.Float32bits(sample))
		return
	}
	full := float64(int(1) << (encoding - 1))
	value := math.RoundToEven(float64(sample) * full)
	value = max(-full, min(full-1, value))
	binary.LittleEndian.PutUint32(to[:], uint32(int32(value)))
}

// ReadFile reads the WAV file path.
func ReadFile(path string) (Audio, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Audio{}, err
	}
	a, err := Parse(data)
	if err != nil {
		return Audio{}, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// Parse reads a WAV file held in memory. A data chunk cut short, as a killed
// recorder leaves it, gives the whole frames that are there.
func Parse(data []byte) (Audio, error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return Audio{}, errors.New("not a WAV file")
	}
	var format, channels, bits uint16
	var rate uint32
	for rest := data[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:min(len(rest), 8+size)]
		switch {
		case id == "fmt " && len(body) >= 16:
			format = binary.LittleEndian.Uint16(body)
			channels = binary.LittleEndian.Uint16(body[2:])
			rate = binary.LittleEndian.Uint32(body[4:])
			bits = binary.LittleEndian.Uint16(body[14:])
			if format == formatExtensible && len(body) >= 26 {
				format = binary.LittleEndian.Uint16(body[24:])
			}
		case id == "data":
			return decode(body, format, int(channels), int(rate), Encoding(bits))
		}
		rest = rest[min(len(rest), 8+size+size%2):]
	}
	return Audio{}, errors.New("WAV file without a data chunk")
}

func decode(body []byte, format uint16, channels, rate int, encoding Encoding) (Audio, error) {
	pcm := format == formatPCM && (encoding == Int16 || encoding == Int24)
	if !pcm && !(format == formatFloat && encoding == Float32) || channels == 0 {
		return Audio{}, fmt.Errorf("WAV format %d, %d bits, %d channels: legal are PCM of 16 or 24 bits and float of 32", format, encoding, channels)
	}
	width := int(encoding) / 8
	frames := len(body) / (width * channels)
	a := Audio{RateHz: rate, Channels: make([][]float32, channels)}
	for c := range a.Channels {
		a.Channels[c] = make([]float32, frames)
	}
	for frame := range frames {
		for _, channel := range a.Channels {
			channel[frame] = getSample(body[:width], encoding)
			body = body[width:]
		}
	}
	return a, nil
}

func getSample(from []byte, encoding Encoding) float32 {
	switch encoding {
	case Int16:
		return float32(int16(binary.LittleEndian.Uint16(from))) / (1 << 15)
	case Int24:
		top := uint32(from[0])<<8 | uint32(from[1])<<16 | uint32(from[2])<<24
		return float32(int32(top)>>8) / (1 << 23)
	default:
		return math.Float32frombits(binary.LittleEndian.Uint32(from))
	}
}

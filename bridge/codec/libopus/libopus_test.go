package libopus

import (
	"math"
	"testing"

	bridge "archibald-bridge/bridge/codec"
)

// through encodes and decodes a mono sound in packets of packetFrames.
func through(t *testing.T, sound []float32, packetFrames, bitrate int) []float32 {
	t.Helper()
	encoder, err := Codec{}.NewEncoder(1, bitrate)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := Codec{}.NewDecoder(1)
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	packet, samples := make([]byte, bridge.MaxPayloadBytes), make([]float32, 5760)
	for at := 0; at+packetFrames <= len(sound); at += packetFrames {
		n, err := encoder.Encode(sound[at:at+packetFrames], packet)
		if err != nil {
			t.Fatal(err)
		}
		frames, err := decoder.Decode(packet[:n], samples)
		if err != nil || frames != packetFrames {
			t.Fatalf("%d frames of %d: %v", frames, packetFrames, err)
		}
		out = append(out, samples[:frames]...)
	}
	return out
}

// chirp sweeps from 200 Hz to 5 kHz, so that only one delay fits it.
func chirp(frames int) []float32 {
	sound := make([]float32, frames)
	phase := 0.0
	for i := range sound {
		sound[i] = float32(0.4 * math.Sin(phase))
		phase += 2 * math.Pi * (200 + 4800*float64(i)/float64(frames)) / bridge.RateHz
	}
	return sound
}

// delay is the shift at which b fits a best.
func delay(a, b []float32) int {
	best, at := math.Inf(-1), 0
	for shift := range 1000 {
		sum := 0.0
		for i := 1000; i < len(a)-1000; i++ {
			sum += float64(a[i]) * float64(b[i+shift])
		}
		if sum > best {
			best, at = sum, shift
		}
	}
	return at
}

func TestTheCodecLooksSoFarAhead(t *testing.T) {
	for _, packetFrames := range []int{120, 240, 480, 960} {
		sound := chirp(24000)
		if got := delay(sound, through(t, sound, packetFrames, 256000)); got != bridge.LookaheadFrames {
			t.Errorf("packets of %d frames: the sound comes %d frames later, want %d", packetFrames, got, bridge.LookaheadFrames)
		}
	}
}

func TestEveryLegalBitrateHasSoundInEveryPacketTime(t *testing.T) {
	for _, packetFrames := range []int{120, 240, 480, 960} {
		for _, bitrate := range []int{16000, 64000, 510000} {
			out := through(t, chirp(24000), packetFrames, bitrate)
			var sum float64
			for _, x := range out[4800:] {
				sum += float64(x) * float64(x)
			}
			if level := math.Sqrt(2 * sum / float64(len(out)-4800)); level < 0.2 || level > 0.5 {
				t.Errorf("%d bit/s, packets of %d frames: level %.3f, want about 0.4", bitrate, packetFrames, level)
			}
		}
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	if _, err := (Codec{}).NewEncoder(3, 128000); err == nil {
		t.Error("an encoder of 3 channels")
	}
	if _, err := (Codec{}).NewDecoder(0); err == nil {
		t.Error("a decoder of no channel")
	}
	decoder, err := Codec{}.NewDecoder(2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decoder.Decode([]byte{0x03}, make([]float32, 11520)); err == nil {
		t.Error("a packet that lacks its frame count was decoded")
	}
	// The room counts, not what lies behind it.
	behind := make([]float32, 11520)
	if _, err := decoder.Decode(append([]byte{0xfc}, make([]byte, 40)...), behind[:240]); err == nil {
		t.Error("20 ms were decoded into 2.5 ms")
	}
}

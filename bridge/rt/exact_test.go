package rt

import (
	"crypto/sha256"
	"math"
	"testing"
	"unsafe"

	"archibald-bridge/bridge/stream"
)

// A generator of noise fast enough for minutes of it (Steele, Lea, Flood:
// SplitMix64); every sample is a finite float of magnitude 1 to 2.
type splitMix uint64

func (s *splitMix) fill(left, right []float32) {
	for i := range left {
		*s += 0x9e3779b97f4a7c15
		z := uint64(*s)
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		left[i] = math.Float32frombits(uint32(z)&0x807fffff | 0x3f800000)
		right[i] = math.Float32frombits(uint32(z>>32)&0x807fffff | 0x3f800000)
	}
}

func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// Sender and receiver on one clock, the resampler bypassed: ten minutes of
// noise in, the same ten minutes out, by checksum.
func TestTenMinutesOfF32NoiseAreBitExact(t *testing.T) {
	const period, delay, seconds = 256, 512, 600
	const cycles = seconds * playerRate / period
	tx := newSender(t, stream.SendPlan{Format: formatF32(2), PayloadType: payloadType(formatF32(2).Encoding), PacketFrames: packetFrames(formatF32(2), period), SSRC: playerSSRC})
	p := newPlayer(t, 2, period)
	want, got := sha256.New(), sha256.New()
	noise := splitMix(1)
	in := [][]float32{make([]float32, period), make([]float32, period)}
	frames := 0
	for n := range cycles + delay/period {
		noise.fill(in[0], in[1])
		frame, now := uint64(n*period), p.nowNs()+int64(n)*period*1e9/playerRate
		tx.Advance(period, frame, now)
		sent := tx.Capture(in, frame, now)
		for _, datagram := range sent {
			p.v.Receive(datagram, now)
		}
		if n == 0 {
			first := p.observe()[0].Media
			p.v.SeekTo(first - delay)
		}
		out := p.v.Play(2, period, frame, now)
		const skip = 4 // cycles: the start, faded in
		if n >= skip && n < cycles {
			want.Write(bytesOf(in[0]))
			want.Write(bytesOf(in[1]))
			frames += period
		}
		if n >= skip+delay/period {
			got.Write(bytesOf(out[0]))
			got.Write(bytesOf(out[1]))
		}
	}
	if string(want.Sum(nil)) != string(got.Sum(nil)) {
		t.Error("what came out is not what went in")
	}
	if frames < (seconds-1)*playerRate {
		t.Errorf("compared %d frames", frames)
	}
	r := p.received()
	wantCount(t, "concealed frames", r.ConcealedFrames, 0)
	wantCount(t, "skips", r.Skips, 0)
	wantCount(t, "lost", r.Lost, 0)
}

package rt

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/pion/rtp"

	"archibald-bridge/bridge/stream"
)

// referenceSample writes one sample as the RFCs say, in plain arithmetic on
// float64: L16 and L24 are two's complement, most significant byte first (RFC
// 3551, section 4.5.11; RFC 3190, section 4), full scale at the lowest value;
// to the nearest value, halves to the even one. F32 is ours.
func referenceSample(e stream.Encoding, x float32) []byte {
	if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
		x = 0
	}
	if e == stream.F32 {
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(x))
	}
	bytes := e.BytesPerSample()
	fullScale := math.Ldexp(1, 8*bytes-1)
	v := math.RoundToEven(float64(x) * fullScale)
	v = math.Max(-fullScale, math.Min(fullScale-1, v))
	return binary.BigEndian.AppendUint32(nil, uint32(int32(v)))[4-bytes:]
}

func referencePayload(f stream.Format, in [][]float32, from, frames int) []byte {
	var payload []byte
	for i := from; i < from+frames; i++ {
		for c := range f.Channels {
			payload = append(payload, referenceSample(f.Encoding, in[c][i])...)
		}
	}
	return payload
}

// testSignal goes through, in every channel another order, values that are
// easy to get wrong, then noise.
func testSignal(channels, frames int) [][]float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5,
		1 - 1.0/32768, -1 + 1.0/32768, 1 - 1.0/65536, 1 - 1.0/8388608,
		1.0 / 32768, 0.5 / 32768, 1.5 / 32768, -0.5 / 32768, 0.49 / 32768,
		1.0 / 8388608, -1.0 / 8388608, 0.5 / 8388608,
		1.0001, -1.0001, 2, -2, 1000, -1000, math.MaxFloat32, -math.MaxFloat32,
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32}
	in := make([][]float32, channels)
	for c := range in {
		in[c] = make([]float32, frames)
		value := noise(stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 1}, uint64(c))
		for i := range in[c] {
			if i < len(special) {
				in[c][i] = special[(i+c)%len(special)]
			} else {
				in[c][i] = value(int64(i), 0)
			}
		}
	}
	return in
}

func eachFormat(t *testing.T, test func(t *testing.T, f stream.Format)) {
	for _, e := range []stream.Encoding{stream.F32, stream.L24, stream.L16} {
		for _, channels := range []int{1, 2, 3, 8, 64} {
			f := stream.Format{Encoding: e, RateHz: 48000, Channels: channels}
			t.Run(f.String(), func(t *testing.T) { test(t, f) })
		}
	}
}

func newSender(t *testing.T, plan stream.SendPlan) *Virtual {
	t.Helper()
	v, err := NewVirtual(plan.Format.RateHz)
	check(t, err)
	t.Cleanup(v.Close)
	check(t, v.StartSender(plan))
	return v
}

func TestPionReadsWhatIsSent(t *testing.T) {
	eachFormat(t, func(t *testing.T, f stream.Format) {
		const period, cycles, ssrc = 96, 5, 0xfedcba98
		packetFrames := packetFrames(f, period)
		v := newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: packetFrames, SSRC: ssrc})
		signal := testSignal(f.Channels, period*cycles)
		var first rtp.Packet
		sent, bytes := 0, 0
		for n := range cycles {
			in := make([][]float32, f.Channels)
			for c := range in {
				in[c] = signal[c][n*period : (n+1)*period]
			}
			v.Advance(period, uint64(n*period), int64(n+1)*2e6)
			for _, datagram := range v.Capture(in, uint64(n*period), int64(n+1)*2e6) {
				var p rtp.Packet
				check(t, p.Unmarshal(datagram))
				if sent == 0 {
					first = p
				}
				from := sent * packetFrames
				if p.Version != 2 || p.Padding || p.Extension || p.Marker || len(p.CSRC) != 0 {
					t.Errorf("packet %d: header %+v", sent, p.Header)
				}
				if p.PayloadType != payloadType(f.Encoding) || p.SSRC != ssrc {
					t.Errorf("packet %d: payload type %d, SSRC %x", sent, p.PayloadType, p.SSRC)
				}
				if p.SequenceNumber != first.SequenceNumber+uint16(sent) {
					t.Errorf("packet %d: sequence number %d after %d", sent, p.SequenceNumber, first.SequenceNumber)
				}
				if p.Timestamp != first.Timestamp+uint32(from) {
					t.Errorf("packet %d: timestamp %d after %d", sent, p.Timestamp, first.Timestamp)
				}
				if !slices.Equal(p.Payload, referencePayload(f, signal, from, packetFrames)) {
					t.Fatalf("packet %d: payload differs from the reference", sent)
				}
				sent++
				bytes += len(p.Payload)
			}
		}
		if sent != period*cycles/packetFrames || bytes != period*cycles*f.BytesPerFrame() {
			t.Errorf("sent %d packets, %d bytes", sent, bytes)
		}
		if last := v.Counters().Sent.LastTimestamp; last != first.Timestamp+uint32((sent-1)*packetFrames) {
			t.Errorf("counted last timestamp %d, first %d", last, first.Timestamp)
		}
	})
}

func TestDatagramsFitThePathMTU(t *testing.T) {
	eachFormat(t, func(t *testing.T, f stream.Format) {
		for _, period := range []int{1, 16, 32, 37, 256, 1021, 8192} {
			v := newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: packetFrames(f, period), SSRC: 1})
			v.Advance(period, 0, 1e9)
			frames := 0
			for _, datagram := range v.Capture(testSignal(f.Channels, period), 0, 1e9) {
				if len(datagram) > 1280-28 {
					t.Fatalf("period %d: a datagram of %d bytes", period, len(datagram))
				}
				frames += (len(datagram) - 12) / f.BytesPerFrame()
			}
			if frames > period || period-frames >= packetFrames(f, period) {
				t.Errorf("period %d: %d frames sent", period, frames)
			}
		}
	})
}

func TestSamplesBeyondFullScaleClip(t *testing.T) {
	in := [][]float32{{1, -1, 1.5, -1.5, 1e30, -1e30}}
	for encoding, want := range map[stream.Encoding][]byte{
		stream.L16: {0x7f, 0xff, 0x80, 0, 0x7f, 0xff, 0x80, 0, 0x7f, 0xff, 0x80, 0},
		stream.L24: {0x7f, 0xff, 0xff, 0x80, 0, 0, 0x7f, 0xff, 0xff, 0x80, 0, 0, 0x7f, 0xff, 0xff, 0x80, 0, 0},
	} {
		f := stream.Format{Encoding: encoding, RateHz: 48000, Channels: 1}
		v := newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: 6, SSRC: 1})
		v.Advance(6, 0, 1e9)
		if got := v.Capture(in, 0, 1e9)[0][12:]; !slices.Equal(got, want) {
			t.Errorf("%s: % x", encoding, got)
		}
	}
}

func nonFinite() []float32 {
	return []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
		math.Float32frombits(0x7f800001), math.Float32frombits(0xffffffff)}
}

func TestNonFiniteSamplesAreSentAsZeroAndCounted(t *testing.T) {
	for _, e := range []stream.Encoding{stream.F32, stream.L24, stream.L16} {
		f := stream.Format{Encoding: e, RateHz: 48000, Channels: 2}
		bad := nonFinite()
		v := newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: len(bad), SSRC: 1})
		good := []float32{0.5, -0.5, 0.25, -0.25, 1.0 / 64}
		v.Advance(len(bad), 0, 1e9)
		payload := v.Capture([][]float32{bad, good}, 0, 1e9)[0][12:]
		if want := referencePayload(f, [][]float32{make([]float32, len(bad)), good}, 0, len(bad)); !slices.Equal(payload, want) {
			t.Errorf("%s: sent % x, want % x", e, payload, want)
		}
		wantCount(t, "non-finite samples sent", v.Counters().Sent.NonFinite, uint64(len(bad)))
	}
}

func TestNonFiniteSamplesArePlayedAsZeroAndCounted(t *testing.T) {
	p := newPlayer(t, 1, 64)
	bad := nonFinite()
	p.source = func(frame int64) float32 {
		if at := frame - 20*64; at >= 0 && at < int64(len(bad)) {
			return bad[at]
		}
		return 0.125
	}
	p.delayTo(64)
	p.run(30, p.regular)
	for i, x := range p.got[0][300:] {
		at := 300 + i - 21*64
		want := float32(0.125)
		if at >= 0 && at < len(bad) {
			want = 0
		}
		if x != want {
			t.Fatalf("frame %d: got %v, want %v", 300+i, x, want)
		}
	}
	wantCount(t, "non-finite samples received", p.received().NonFinite, uint64(len(bad)))
}

func TestDecodeAgreesWithTheReference(t *testing.T) {
	eachFormat(t, func(t *testing.T, f stream.Format) {
		const frames = 200
		payload := make([]byte, frames*f.BytesPerFrame())
		for i := range payload {
			payload[i] = byte(i*7919 ^ i>>3)
		}
		for c := range f.Channels {
			for i, got := range Decode(f, payload, c) {
				at := payload[(i*f.Channels+c)*f.Encoding.BytesPerSample():]
				var want float32
				switch f.Encoding {
				case stream.L16:
					want = float32(float64(int16(binary.BigEndian.Uint16(at))) / 32768)
				case stream.L24:
					v := int32(uint32(at[0])<<24|uint32(at[1])<<16|uint32(at[2])<<8) >> 8
					want = float32(float64(v) / 8388608)
				case stream.F32:
					want = math.Float32frombits(binary.LittleEndian.Uint32(at))
					if math.IsNaN(float64(want)) || math.IsInf(float64(want), 0) {
						want = 0
					}
				}
				if got != want {
					t.Fatalf("channel %d frame %d: got %v, want %v", c, i, got, want)
				}
			}
		}
	})
}

func TestDecodeOfAPayloadThatIsNoWholeFrameStopsBefore(t *testing.T) {
	f := stream.Format{Encoding: stream.L24, RateHz: 48000, Channels: 2}
	for bytes, frames := range map[int]int{0: 0, 1: 0, 5: 0, 6: 1, 11: 1, 12: 2} {
		if got := Decode(f, make([]byte, bytes), 1); len(got) != frames {
			t.Errorf("%d bytes: %d frames, want %d", bytes, len(got), frames)
		}
	}
}

func TestPacketsOfPionWithAllTheirOptionsAreRead(t *testing.T) {
	header := func(p *player, n int) rtp.Header {
		return rtp.Header{Version: 2, PayloadType: 98, SSRC: playerSSRC,
			SequenceNumber: p.firstSequence + uint16(n), Timestamp: p.base + uint32(n*p.period)}
	}
	for name, change := range map[string]func(*rtp.Packet){
		"plain":   func(*rtp.Packet) {},
		"marker":  func(p *rtp.Packet) { p.Marker = true },
		"CSRC":    func(p *rtp.Packet) { p.CSRC = []uint32{1, 2, 3} },
		"15 CSRC": func(p *rtp.Packet) { p.CSRC = make([]uint32, 15) },
		"padding": func(p *rtp.Packet) { p.Header.Padding, p.Header.PaddingSize = true, 4 },
		"one-byte extension": func(p *rtp.Packet) {
			p.ExtensionProfile = 0xbede
			_ = p.SetExtension(1, []byte{1, 2, 3, 4, 5})
		},
		"two-byte extension": func(p *rtp.Packet) {
			p.ExtensionProfile = 0x1000
			_ = p.SetExtension(9, make([]byte, 40))
		},
		"all": func(p *rtp.Packet) {
			p.Marker, p.CSRC = true, []uint32{7}
			p.ExtensionProfile = 0xbede
			_ = p.SetExtension(2, []byte{9})
			p.Header.Padding, p.Header.PaddingSize = true, 255
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(t, 2, 64)
			p.delayTo(64)
			p.run(20, func(n int) [][]byte {
				packet := rtp.Packet{Header: header(p, n), Payload: p.packet(n)[12:]}
				change(&packet)
				datagram, err := packet.Marshal()
				check(t, err)
				return [][]byte{datagram}
			})
			p.wantStream(300, 20*64, 64)
			wantCount(t, "packets", p.received().Packets, 20)
			wantCount(t, "malformed", p.received().Malformed, 0)
		})
	}
}

package rt

import (
	"encoding/binary"
	"fmt"
	"testing"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/stream"
)

// The cost of one period of 32 frames, of all stages between the callbacks and
// the socket. A call from Go into C, about 50 ns, is in each figure.
func benchmarkStages(b *testing.B, channels int, stage func(b *testing.B, tx, rx *Virtual, f stream.Format)) {
	for _, e := range []stream.Encoding{stream.F32, stream.L24, stream.L16} {
		f := stream.Format{Encoding: e, RateHz: 48000, Channels: channels}
		b.Run(fmt.Sprintf("%s/%dch", e, channels), func(b *testing.B) {
			var ends [2]*Virtual
			for i := range ends {
				v, err := NewVirtual(f.RateHz)
				if err != nil {
					b.Fatal(err)
				}
				defer v.Close()
				ends[i] = v
			}
			tx, rx := ends[0], ends[1]
			packet := packetFrames(f, 32)
			if err := tx.StartSender(stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: packet, SSRC: 7}); err != nil {
				b.Fatal(err)
			}
			if err := rx.StartReceiver(stream.ReceivePlan{Format: f, PayloadType: payloadType(f.Encoding), SSRC: 7}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			stage(b, tx, rx, f)
		})
	}
}

const benchPeriod = 32

func benchNs(cycle int) int64 { return 1e9 + int64(cycle)*benchPeriod*1e9/48000 }

func BenchmarkPlayout(b *testing.B) {
	for _, channels := range []int{2, 64} {
		for name, ratio := range map[string]float64{"copied": 1, "resampled": 1.0001} {
			b.Run(name, func(b *testing.B) {
				benchmarkStages(b, channels, func(b *testing.B, _, rx *Virtual, _ stream.Format) {
					rx.SetRatio(ratio)
					rx.SeekTo(0)
					for i := range b.N {
						rx.play(channels, benchPeriod, uint64(i*benchPeriod), benchNs(i))
					}
				})
			})
		}
	}
}

func BenchmarkCaptureAndPack(b *testing.B) {
	for _, channels := range []int{2, 64} {
		benchmarkStages(b, channels, func(b *testing.B, tx, _ *Virtual, _ stream.Format) {
			tx.Advance(benchPeriod, 0, benchNs(0))
			for i := range b.N {
				tx.capture(channels, benchPeriod, uint64(i*benchPeriod), 0)
				for tx.pack(uint64(i*benchPeriod), benchNs(i)) > 0 {
				}
			}
		})
	}
}

func BenchmarkReceive(b *testing.B) {
	for _, channels := range []int{2, 64} {
		benchmarkStages(b, channels, func(b *testing.B, tx, rx *Virtual, f stream.Format) {
			in := make([][]float32, channels)
			for c := range in {
				in[c] = make([]float32, benchPeriod)
			}
			tx.Advance(benchPeriod, 0, benchNs(0))
			datagrams := tx.Capture(in, 0, benchNs(0))
			first := int64(binary.BigEndian.Uint32(datagrams[0][4:]))
			for _, d := range datagrams {
				rx.Receive(d, benchNs(0)) // the first one tells where the stream is
			}
			last := binary.BigEndian.Uint16(datagrams[len(datagrams)-1][2:])
			rx.SeekTo(first - 100)
			rx.Advance(benchPeriod, 0, benchNs(0))
			b.ResetTimer()
			for i := range b.N {
				for _, d := range datagrams {
					binary.BigEndian.PutUint16(d[2:], last+uint16(i+1)) // the next one: no duplicate
					rx.Receive(d, benchNs(0))
				}
			}
		})
	}
}

func BenchmarkObserveAndSteer(b *testing.B) {
	rx, err := NewVirtual(48000)
	if err != nil {
		b.Fatal(err)
	}
	defer rx.Close()
	if err := rx.StartPositions(48000, 48000, stream.Repeats{}); err != nil {
		b.Fatal(err)
	}
	servo := clock.NewServo(clock.Config{RateHz: 48000, LookaheadFrames: LookaheadFrames})
	buf := make([]stream.Observation, 512)
	b.ReportAllocs()
	for i := range b.N {
		rx.ReceivePosition(uint16(i), uint32(i*benchPeriod), benchPeriod, benchNs(i), -1)
		rx.Advance(benchPeriod, uint64(i*benchPeriod), benchNs(i))
		for _, o := range buf[:rx.Observe(buf)] {
			servo.Observe(o)
		}
		d := servo.Decide()
		rx.SetRatio(d.Ratio)
	}
}

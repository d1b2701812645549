package rt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// sounds that are hard on a prediction.
var sounds = map[string]func(r *rand.Rand) func(int64) float32{
	"silence":      func(*rand.Rand) func(int64) float32 { return func(int64) float32 { return 0 } },
	"direct":       func(*rand.Rand) func(int64) float32 { return func(int64) float32 { return 0.5 } },
	"denormal":     func(*rand.Rand) func(int64) float32 { return func(i int64) float32 { return float32(i%7) * 1e-41 } },
	"loudest":      func(*rand.Rand) func(int64) float32 { return alternating(math.MaxFloat32) },
	"loudest tone": func(*rand.Rand) func(int64) float32 { return sine(997, math.MaxFloat32) },
	"Nyquist":      func(*rand.Rand) func(int64) float32 { return alternating(1) },
	"noise":        func(r *rand.Rand) func(int64) float32 { return func(int64) float32 { return 2*r.Float32() - 1 } },
	"clicks": func(*rand.Rand) func(int64) float32 {
		return func(i int64) float32 { return float32(max(0, 1-i%501)) }
	},
	"square": func(*rand.Rand) func(int64) float32 {
		return func(i int64) float32 { return float32(i / 100 % 2) }
	},
	"rising": func(*rand.Rand) func(int64) float32 {
		return func(i int64) float32 { return float32(math.Exp(float64(i%4000)/50-80) * math.Sin(float64(i))) }
	},
	"falling": func(*rand.Rand) func(int64) float32 {
		return func(i int64) float32 { return float32(math.Exp(-float64(i%4000)/30) * math.Sin(float64(i)/9)) }
	},
	"low": func(*rand.Rand) func(int64) float32 { return sine(30, 1) },
}

func alternating(x float32) func(int64) float32 {
	return func(i int64) float32 { return x * float32(1-2*(i%2)) }
}

// Whatever is played and however it is lost: what is heard is a number, and no
// louder than what was sent; silence stays silence.
func TestConcealmentOfAnythingIsNoLouderThanIt(t *testing.T) {
	for name, sound := range sounds {
		for _, period := range []int{1, 7, 32, 64, 200} {
			r := rand.New(rand.NewPCG(uint64(period), 3))
			p := newPlayer(t, 9, period)
			stream := make([]float32, 12000+period)
			loudest := 0.0
			source := sound(r)
			for i := range stream {
				stream[i] = source(int64(i))
				loudest = max(loudest, math.Abs(float64(stream[i])))
			}
			p.source = func(frame int64) float32 { return stream[frame] }
			p.delayTo(int64(period))
			share := []float64{0.05, 0.2, 0.6}[period%3]
			p.run(12000/period, func(n int) [][]byte {
				if r.Float64() < share {
					return nil
				}
				return p.regular(n)
			})
			for c, x := range p.got {
				for i, v := range x {
					if a := math.Abs(float64(v)) * float64(c+1); !(a <= loudest*1.00001+1e-43) { // 1e-43: channels of denormals
						t.Fatalf("%s, period %d, channel %d, frame %d: %v, sent were %v at most", name, period, c, i, v, loudest)
					}
				}
			}
		}
	}
}

// Gaps, seeks, changes of ratio and own skips at random.
func TestAnythingAtOnceIsHeardAsNumbers(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 4))
		p := newPlayer(t, 1+int(seed)%10, []int{1, 16, 32, 64, 500}[seed%5])
		p.source = sine(50+r.Float64()*20000, 0.9)
		p.delayTo(200)
		p.run(max(20, 20000/p.period), func(n int) [][]byte {
			switch r.IntN(40) {
			case 0:
				p.delayTo(r.Int64N(3000))
			case 1:
				p.v.SetRatio(0.95 + 0.1*r.Float64())
			case 2:
				p.v.SetRatio(1)
			case 3:
				p.v.Mute()
			case 4:
				p.delayTo(100)
			}
			var packets [][]byte
			for range r.IntN(3) {
				packets = append(packets, p.packet(max(0, n-r.IntN(4))))
			}
			return packets
		})
		for c := range p.got {
			for i, v := range p.got[c] {
				if a := math.Abs(float64(v)); !(a < 3) {
					t.Fatalf("seed %d, channel %d, frame %d: %v", seed, c, i, v)
				}
			}
		}
	}
}

// However small packets are, a fit comes at most every 32 frames, and for at most
// eight channels: more would be too much for an audio thread.
func TestFitsAreBoundedInTime(t *testing.T) {
	for _, period := range []int{4, 8, 16, 32} {
		p := newPlayer(t, 12, period)
		p.delayTo(int64(period))
		fits, last := 0, int64(math.MinInt32)
		p.run(2000/period, func(n int) [][]byte {
			if n*period > 1000 && n%2 == 1 {
				return nil
			}
			return p.regular(n)
		})
		for n := 2000 / period; n < 4000/period; n++ {
			if n%2 == 0 {
				p.play(p.packet(n))
			} else {
				p.play()
			}
			gap := p.v.c.receiver.buffer.gap
			if at := int64(gap.start); gap.channels > 0 && at != last {
				if at-last < 32 || gap.channels != 8 {
					t.Fatalf("period %d: %d channels fitted, %d frames after the last", period, gap.channels, at-last)
				}
				fits, last = fits+1, at
			}
		}
		if want := 2000 / max(32, 2*period); fits < want-1 || fits > want+1 {
			t.Errorf("period %d: %d fits, want %d", period, fits, want)
		}
	}
}

// What a gap in every second period costs, compared with no gap: each time a fit and 96
// frames of prediction for the first eight channels.
func BenchmarkConcealment(b *testing.B) {
	for _, channels := range []int{1, 2, 8, 64} {
		for _, every := range []int{0, 2} {
			name := map[int]string{0: "complete", 2: "half lost"}[every]
			b.Run(fmt.Sprintf("%dch/%s", channels, name), func(b *testing.B) {
				v, err := NewVirtual(playerRate)
				if err != nil {
					b.Fatal(err)
				}
				defer v.Close()
				if err := v.StartReceiver(planF32(channels)); err != nil {
					b.Fatal(err)
				}
				p := &player{v: v, channels: channels, period: benchPeriod, source: sine(440, 0.25)}
				packet := p.packet(0)
				v.Receive(packet, 0)
				v.SeekTo(-benchPeriod)
				for i := range b.N {
					if every == 0 || i%every == 0 {
						packet[2], packet[3] = byte(i>>8), byte(i)
						at := uint32(i * benchPeriod)
						packet[4], packet[5], packet[6], packet[7] = byte(at>>24), byte(at>>16), byte(at>>8), byte(at)
						v.Receive(packet, benchNs(i))
					}
					v.play(channels, benchPeriod, uint64(i*benchPeriod), benchNs(i))
				}
			})
		}
	}
}

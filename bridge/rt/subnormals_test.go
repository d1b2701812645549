package rt

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"testing"
)

const leastNormal = 0x1p-126

var one float32 = 1 // not known to the compiler

func subnormal(x float32) bool { return x != 0 && math.Abs(float64(x)) < leastNormal }

// A multiplication of them costs a hundred cycles on many processors.
func TestTheResampledPathMakesNoSubnormals(t *testing.T) {
	runtime.LockOSThread() // whose mode the core changes
	defer runtime.UnlockOSThread()
	for _, amplitude := range []float64{leastNormal / 4, 4 * leastNormal} {
		p := newPlayer(t, 2, 64)
		p.source = sine(440, amplitude)
		p.v.SetRatio(1.0002)
		p.delayTo(256)
		p.run(100, p.regular)
		for c := range p.got {
			for i, x := range p.got[c] {
				if subnormal(x) {
					t.Fatalf("amplitude %g: channel %d frame %d is %g", amplitude, c, i, x)
				}
			}
		}
		if peak := p.received().PeakLinear[0]; amplitude > leastNormal && peak == 0 {
			t.Error("sound above the subnormals was lost")
		}
		if x := one * leastNormal / 2; !subnormal(x) || !subnormal(x*one) {
			t.Fatal("the audio server's own thread flushes subnormals after a cycle")
		}
	}
}

func TestCopiedSubnormalsAreBitExact(t *testing.T) {
	p := newPlayer(t, 2, 64)
	p.source = func(frame int64) float32 { return math.Float32frombits(uint32(1 + frame%0x7ffff0)) }
	p.delayTo(256)
	p.run(100, p.regular)
	p.wantStream(600, 100*64, 256)
}

func TestACycleThatIsTooLongIsSilence(t *testing.T) {
	p := newPlayer(t, 2, 64)
	p.delayTo(256)
	p.run(20, p.regular)
	const frames = MaxPeriodFrames + 1
	for i := range 2 * frames {
		p.v.plane[i] = 1
	}
	for c, samples := range p.v.Play(2, frames, p.frame, p.nowNs()) {
		for i, x := range samples {
			if x != 0 {
				t.Fatalf("channel %d frame %d: %v", c, i, x)
			}
		}
	}
}

// Subnormal input costs no more than other input.
func BenchmarkResampledInput(b *testing.B) {
	const channels, period = 8, 32
	for name, bits := range map[string]uint32{"normal": 0x3d800000, "subnormal": 0} {
		b.Run(name, func(b *testing.B) {
			v, err := NewVirtual(playerRate)
			if err != nil {
				b.Fatal(err)
			}
			defer v.Close()
			if err := v.StartReceiver(planF32(channels)); err != nil {
				b.Fatal(err)
			}
			packet := rtpHeader(98, 0, 0, playerSSRC)
			for i := range uint32(channels * period) {
				packet = binary.LittleEndian.AppendUint32(packet, bits|(i*2654435761)&0x7fffff|1)
			}
			v.SeekTo(-256)
			for i := range b.N {
				if i%1000 == 0 { // the position stays near
					v.SetRatio(1.0001 - float64(i/1000%2)*0.0002)
				}
				binary.BigEndian.PutUint16(packet[2:], uint16(i))
				binary.BigEndian.PutUint32(packet[4:], uint32(i*period))
				v.Receive(packet, benchNs(i))
				v.play(channels, period, uint64(i*period), benchNs(i))
			}
		})
	}
}

// The longest skip, of 64 channels, compared with a cycle without one.
func BenchmarkSkip(b *testing.B) {
	for _, skip := range []int{0, 28000} {
		b.Run(fmt.Sprint(skip), func(b *testing.B) {
			v, err := NewVirtual(playerRate)
			if err != nil {
				b.Fatal(err)
			}
			defer v.Close()
			if err := v.StartReceiver(planF32(MaxChannels)); err != nil {
				b.Fatal(err)
			}
			for i := range b.N {
				if skip > 0 || i == 0 {
					v.SeekTo(int64(i * skip))
				}
				v.play(MaxChannels, benchPeriod, uint64(i*benchPeriod), benchNs(i))
			}
		})
	}
}

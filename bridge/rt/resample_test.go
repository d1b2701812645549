package rt

import (
	"fmt"
	"math"
	"testing"

	"archibald-bridge/bridge/stream"
)

const resampledFrames = 40000 // four times through every fraction at 100 ppm

// resampled plays a full-scale tone at a ratio. It returns the frames from settled on and
// the stream position, in frames of the tone, of the first of them.
func resampled(t *testing.T, hz, ratio float64) (x []float32, position float64) {
	t.Helper()
	p := newPlayer(t, 1, 256)
	p.source = sine(hz, 1)
	p.delayTo(1000)
	p.run(10, p.regular)
	p.v.SetRatio(ratio)
	p.run(10, p.regular)
	p.observe()
	at := len(p.got[0])
	p.run(resampledFrames/256, p.regular)
	wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
	for _, o := range p.observe() {
		if o.Kind == stream.KindCycle {
			return p.got[0][at:], float64(o.Position-int64(p.base)) + o.PositionFraction
		}
	}
	t.Fatal("no cycle was observed")
	return nil, 0
}

// fit finds the sine of hz that lies closest to x (least squares, with an
// offset): its amplitude, its phase at x[0], and the RMS of what is left.
func fit(x []float32, hz float64) (amplitude, phase, residual float64) {
	// Normal equations for x = a sin + b cos + d.
	var m [3][4]float64
	w := 2 * math.Pi * hz / playerRate
	for i, v := range x {
		basis := [3]float64{math.Sin(w * float64(i)), math.Cos(w * float64(i)), 1}
		for r := range 3 {
			for c := range 3 {
				m[r][c] += basis[r] * basis[c]
			}
			m[r][3] += basis[r] * float64(v)
		}
	}
	for r := range 3 { // Gauss-Jordan; the matrix is diagonally dominant
		for k := range 3 {
			if k != r {
				f := m[k][r] / m[r][r]
				for c := range 4 {
					m[k][c] -= f * m[r][c]
				}
			}
		}
	}
	a, b, d := m[0][3]/m[0][0], m[1][3]/m[1][1], m[2][3]/m[2][2]
	sum := 0.0
	for i, v := range x {
		e := float64(v) - a*math.Sin(w*float64(i)) - b*math.Cos(w*float64(i)) - d
		sum += e * e
	}
	return math.Hypot(a, b), math.Atan2(b, a), math.Sqrt(sum / float64(len(x)))
}

func decibel(x float64) float64 { return 20 * math.Log10(x) }

var ratios = []float64{1 + 1e-4, 1 - 1e-4, 1 + 5e-4, 1 - 5e-4, 1 + 3.7e-6}

func eachRatio(t *testing.T, hz []float64, test func(t *testing.T, hz, ratio float64)) {
	for _, f := range hz {
		for _, ratio := range ratios {
			t.Run(fmt.Sprintf("%.0f Hz at %+.1f ppm", f, (ratio-1)*1e6), func(t *testing.T) { test(t, f, ratio) })
		}
	}
}

func TestResampledTonesAreClean(t *testing.T) {
	eachRatio(t, []float64{100, 997, 1000, 4001, 9973, 10000}, func(t *testing.T, hz, ratio float64) {
		x, _ := resampled(t, hz, ratio)
		amplitude, _, residual := fit(x, hz*ratio)
		if thdn := decibel(residual / (amplitude / math.Sqrt2)); thdn > -100 {
			t.Errorf("THD+N %.1f dB", thdn)
		} else {
			t.Logf("THD+N %.1f dB", thdn)
		}
	})
}

func TestResampledTonesKeepTheirLevelTo18kHz(t *testing.T) {
	eachRatio(t, []float64{50, 997, 5000, 10007, 12007, 15013, 16001, 17011, 18000}, func(t *testing.T, hz, ratio float64) {
		x, _ := resampled(t, hz, ratio)
		amplitude, _, _ := fit(x, hz*ratio)
		if gain := decibel(amplitude); math.Abs(gain) > 0.1 {
			t.Errorf("gain %+.3f dB", gain)
		}
	})
}

// A cycle's first output is the stream at the position that the cycle states.
func TestAResampledToneIsWhereThePositionSays(t *testing.T) {
	eachRatio(t, []float64{100, 997, 9973}, func(t *testing.T, hz, ratio float64) {
		x, position := resampled(t, hz, ratio)
		_, phase, _ := fit(x, hz*ratio)
		frames := math.Remainder(phase-2*math.Pi*hz*position/playerRate, 2*math.Pi) / (2 * math.Pi * hz / playerRate)
		if math.Abs(frames) > 0.002 {
			t.Errorf("off by %+.4f frames", frames)
		}
	})
}

// From the bypass into the resampler, along a path of ratios, and back: every
// output is the tone at the position that the cycles state. What differs is as
// little noise as at a steady ratio.
func TestChangesOfTheRatioAreContinuous(t *testing.T) {
	for _, hz := range []float64{440, 997, 9973} {
		p := newPlayer(t, 1, 64)
		p.source = sine(hz, 0.25)
		p.delayTo(400)
		const changing, unity, cycles = 100, 500, 800
		for n := range cycles {
			ratio := 1.0
			if n >= changing && n < unity {
				ratio = 1 + 5e-4*math.Sin(float64(n)/20)
			}
			p.v.SetRatio(ratio)
			p.play(p.packet(n))
		}
		positions, squares := p.positions(), 0.0
		for n := 10; n < cycles-1; n++ {
			moved := (positions[n+1] - positions[n]) / 64
			if math.Abs(moved-1) > 5.001e-4 || n < changing && moved != 1 {
				t.Fatalf("cycle %d moved by %v frames per frame", n, moved)
			}
			for i, got := range p.got[0][n*64 : (n+1)*64] {
				want := 0.25 * math.Sin(2*math.Pi*hz*(positions[n]+float64(i)*moved)/playerRate)
				difference := float64(got) - want
				if math.Abs(difference) > 2e-5 {
					t.Fatalf("%.0f Hz, cycle %d frame %d: got %v, want %v", hz, n, i, got, want)
				}
				if n >= changing && n < unity {
					squares += difference * difference
				}
			}
		}
		noise := decibel(math.Sqrt(squares/(64*(unity-changing))) / (0.25 / math.Sqrt2))
		if noise > -100 {
			t.Errorf("%.0f Hz: noise %.1f dB", hz, noise)
		} else {
			t.Logf("%.0f Hz: noise %.1f dB", hz, noise)
		}
	}
}

// positions are those that the cycles stated, in stream frames.
func (p *player) positions() []float64 {
	var all []float64
	for _, o := range p.observe() {
		if o.Kind == stream.KindCycle {
			all = append(all, float64(o.Position-int64(p.base))+o.PositionFraction)
		}
	}
	return all
}

// A ratio of exactly 1 asks for a copy: the position glides to the nearest whole
// frame, too slowly to be heard as a change of pitch, stays there, and what is
// played is the stream bit for bit.
func TestARatioOfOneGlidesToAWholeFrame(t *testing.T) {
	for _, ratio := range []float64{1.0002, 0.9998, 1.0001, 1 + 1e-7} {
		p := newPlayer(t, 1, 64)
		p.delayTo(400)
		p.run(10, p.regular)
		p.v.SetRatio(ratio)
		p.run(21, p.regular)
		p.v.SetRatio(1)
		p.run(1, p.regular)
		p.observe()
		const arrived = 170 // 0.5 frames at 50 ppm of 64 frames a cycle are 157 cycles
		p.run(arrived+100, p.regular)
		positions := p.positions()
		for n := 1; n < len(positions); n++ {
			moved := positions[n] - positions[n-1] - 64
			if math.Abs(moved) > 64*50.001e-6 || n > arrived && moved != 0 {
				t.Fatalf("ratio %v: cycle %d moved by %v frames", ratio, n, moved)
			}
		}
		last := positions[len(positions)-1]
		if last != math.Trunc(last) || math.Abs(last-positions[0]-float64(64*(len(positions)-1))) > 0.5 {
			t.Errorf("ratio %v: glided from %v to %v", ratio, positions[0], last)
		}
		delay := int64(len(p.got[0])-64) - int64(last)
		p.wantStream((32+arrived)*64, len(p.got[0]), delay)
	}
}

func TestTheSteepestRatiosStayInTheBuffer(t *testing.T) {
	for _, ratio := range []float64{0.95, 1.05, 0, 2, math.Inf(1)} {
		p := newPlayer(t, 2, 8192)
		p.source = sine(997, 0.25)
		clamped := min(max(ratio, 0.95), 1.05)
		sent := 0
		p.delayTo(600)
		p.v.SetRatio(ratio)
		p.run(6, func(n int) [][]byte {
			var packets [][]byte
			for float64(sent*100) < float64((n+1)*8192)*clamped {
				packets = append(packets, p.packetOf(uint16(sent), int64(sent*100), 100))
				sent++
			}
			return packets
		})
		x := p.got[0][2*8192:]
		amplitude, _, residual := fit(x, 997*clamped)
		if math.Abs(amplitude-0.25) > 0.001 || residual > 1e-4 {
			t.Errorf("ratio %v: amplitude %v, residual %v", ratio, amplitude, residual)
		}
	}
}

// A servo's mistake must not reach the speakers.
func TestARatioThatIsNoNumberIsIgnored(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	p.run(20, p.regular)
	p.v.SetRatio(math.NaN())
	p.run(20, p.regular)
	p.wantStream(300, 40*64, 128)
}

package rt

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand"
	"testing"
)

// The resampler by itself: what its taps do at every fraction of a frame.

func newVirtual(t testing.TB) *Virtual {
	t.Helper()
	v, err := NewVirtual(playerRate)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// tapsAt are those for a fraction: the answer to an impulse, read backwards.
func tapsAt(v *Virtual, fraction float64) []float64 {
	in, out, h := make([]float32, 2*taps-1), make([]float32, taps), make([]float64, taps)
	in[taps-1] = 1
	v.resample(in, 1, fraction, 1, out, taps)
	for i, x := range out {
		h[taps-1-i] = float64(x)
	}
	return h
}

// gain is what taps make of a tone, relative to the tone at their position: 1
// is perfect, in level and in time.
func gain(h []float64, fraction, hz float64) complex128 {
	w, sum := 2*math.Pi*hz/playerRate, complex128(0)
	for j, x := range h {
		sum += complex(x, 0) * cmplx.Rect(1, w*(float64(j-lookbehindFrames)-fraction))
	}
	return sum
}

// eachPhase calls test for 400 fractions: some of the table's, most between.
func eachPhase(v *Virtual, test func(fraction float64, h []float64)) {
	const fractions = 400
	for k := range fractions {
		fraction := float64(k) / fractions
		test(fraction, tapsAt(v, fraction))
	}
}

func TestTheLevelIsFlatTo18kHzAtEveryPhase(t *testing.T) {
	worst := 0.0
	eachPhase(newVirtual(t), func(fraction float64, h []float64) {
		for hz := 0.0; hz <= 18000; hz += 100 {
			level := decibel(cmplx.Abs(gain(h, fraction, hz)))
			if worst = max(worst, math.Abs(level)); math.Abs(level) > 0.1 {
				t.Fatalf("%.0f Hz %.4f frames on: %+.3f dB", hz, fraction, level)
			}
		}
	})
	t.Logf("within %.3f dB", worst)
}

func TestNoPhaseAmplifiesWhatLiesAbove18kHz(t *testing.T) {
	worst := math.Inf(-1)
	eachPhase(newVirtual(t), func(fraction float64, h []float64) {
		for hz := 18000.0; hz <= playerRate/2; hz += 100 {
			level := decibel(cmplx.Abs(gain(h, fraction, hz)))
			if worst = max(worst, level); level > 1 {
				t.Fatalf("%.0f Hz %.4f frames on: %+.3f dB", hz, fraction, level)
			}
		}
	})
	t.Logf("at most %+.2f dB", worst)
}

// What the phases do differently to a tone is noise once the position wanders
// through all of them. Slow clocks keep that noise within a few Hz of the tone:
// so little matters above 11 kHz.
func TestAllPhasesTreatAToneAlike(t *testing.T) {
	v := newVirtual(t)
	for _, band := range []struct{ fromHz, toHz, limitDB float64 }{{0, 11000, -100}, {11000, 16000, -90}} {
		worst := math.Inf(-1)
		for hz := band.fromHz; hz <= band.toHz; hz += 250 {
			var sum complex128
			var squares, count float64
			eachPhase(v, func(fraction float64, h []float64) {
				g := gain(h, fraction, hz)
				sum += g
				squares += real(g)*real(g) + imag(g)*imag(g)
				count++
			})
			mean := cmplx.Abs(sum) / count
			noise := math.Sqrt(max(squares/count-mean*mean, 0)) / mean
			if decibel(noise) > band.limitDB {
				t.Errorf("%.0f Hz: noise at %.1f dB, allowed are %.0f", hz, decibel(noise), band.limitDB)
			}
			worst = max(worst, decibel(noise))
		}
		t.Logf("from %.0f to %.0f Hz: noise at most at %.1f dB", band.fromHz, band.toHz, worst)
	}
}

// The output is the tone at the position itself: no delay but the frames that
// were read ahead.
func TestEveryPhaseIsWhereItsFractionSays(t *testing.T) {
	eachPhase(newVirtual(t), func(fraction float64, h []float64) {
		for hz := 250.0; hz <= 18000; hz += 250 {
			frames := cmplx.Phase(gain(h, fraction, hz)) / (2 * math.Pi * hz / playerRate)
			if limit := 0.002; math.Abs(frames) > limit && hz <= 11000 || math.Abs(frames) > 10*limit {
				t.Fatalf("%.0f Hz %.4f frames on: off by %+.5f frames", hz, fraction, frames)
			}
		}
	})
}

func TestAWholeFramePassesBitForBit(t *testing.T) {
	v := newVirtual(t)
	for j, x := range tapsAt(v, 0) {
		want := 0.0
		if j == lookbehindFrames {
			want = 1
		}
		if x != want {
			t.Errorf("tap %d: %v, want %v", j, x, want)
		}
	}
	in, out := make([]float32, 3*(64+taps)), make([]float32, 3*64)
	noise := rand.New(rand.NewSource(1))
	for i := range in {
		in[i] = float32(noise.NormFloat64())
	}
	v.resample(in, 3, 0, 1, out, 64)
	for i, x := range out {
		if want := in[i/64*(64+taps)+i%64+lookbehindFrames]; x != want {
			t.Fatalf("channel %d frame %d: got %v, want %v", i/64, i%64, x, want)
		}
	}
}

// Near the end of a fraction, the next frame: no step between the last phase
// and the first.
func TestTheLastPhaseMeetsTheNextFrame(t *testing.T) {
	for j, x := range tapsAt(newVirtual(t), 1-1e-9) {
		want := 0.0
		if j == lookbehindFrames+1 {
			want = 1
		}
		if math.Abs(x-want) > 1e-6 {
			t.Errorf("tap %d: %v, want %v", j, x, want)
		}
	}
}

// The vectors compute what the plain sum says, for every number of channels and
// frames, and write nothing beyond.
func TestVectorsAndAPlainSumAgree(t *testing.T) {
	v := newVirtual(t)
	noise := rand.New(rand.NewSource(2))
	for _, channels := range []int{1, 2, 3, 8, MaxChannels} {
		for _, frames := range []int{1, 2, 3, 4, 5, 31, 32, 33, 64} {
			for _, ratio := range []float64{1, 1 + 1e-4, 1 - 5e-4, 0.95, 1.05} {
				window := int(float64(frames)*ratio) + taps + 1
				in := make([]float32, channels*window)
				for i := range in {
					in[i] = float32(2*noise.Float64() - 1)
				}
				out := make([]float32, channels*frames+8)
				for i := range out {
					out[i] = 77
				}
				fraction := noise.Float64()
				v.resample(in, channels, fraction, ratio, out, frames)
				for i := range frames {
					whole, part := math.Modf(fraction + float64(i)*ratio)
					h := tapsAt(v, part)
					for c := range channels {
						want := 0.0
						for j, x := range h {
							want += x * float64(in[c*window+int(whole)+j])
						}
						if got := float64(out[c*frames+i]); math.Abs(got-want) > 1e-6 {
							t.Fatalf("%d channels, ratio %v: channel %d frame %d of %d: got %v, want %v", channels, ratio, c, i, frames, got, want)
						}
					}
				}
				for _, x := range out[channels*frames:] {
					if x != 77 {
						t.Fatalf("%d channels, %d frames: wrote beyond the end", channels, frames)
					}
				}
			}
		}
	}
}

// The look-ahead that the servo adds to the latency is what is needed: with one
// frame less, frames are missing in each cycle and must be predicted.
func TestTheResamplerReadsAheadWhatItDeclares(t *testing.T) {
	for _, c := range []struct {
		delay   int64
		missing bool
	}{{int64(LookaheadFrames) + 1, false}, {int64(LookaheadFrames), false}, {int64(LookaheadFrames) - 1, true}} {
		p := newPlayer(t, 1, 64)
		p.delayTo(c.delay)
		p.v.SetRatio(1.0001)
		p.run(40, p.regular)
		if missing := p.received().Predicted > 0; missing != c.missing {
			t.Errorf("%d frames behind: frames predicted %v, want %v", c.delay, missing, c.missing)
		}
	}
}

func BenchmarkResampler(b *testing.B) {
	v := newVirtual(b)
	for _, channels := range []int{2, 8, 64} {
		for _, frames := range []int{32, 64} {
			b.Run(fmt.Sprintf("%dch/%d", channels, frames), func(b *testing.B) {
				in, out := make([]float32, channels*(frames+taps+1)), make([]float32, channels*frames)
				for range b.N {
					v.resample(in, channels, 0.25, 1.0001, out, frames)
				}
			})
		}
	}
}

func BenchmarkResamplerSetUp(b *testing.B) {
	v := newVirtual(b)
	for range b.N {
		v.makeTable()
	}
}

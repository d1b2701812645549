package rt

import (
	"fmt"
	"math"
	"testing"

	"archibald-bridge/bridge/stream"
)

// The resampler between different rates.

type ratePair struct{ stream, graph int }

var ratePairs = []ratePair{{96000, 48000}, {48000, 96000}, {44100, 48000}, {48000, 44100}, {192000, 44100}, {8000, 48000}, {192000, 8000}, {176400, 8000}, {8000, 192000}, {48000, 47999}}

func (p ratePair) String() string { return fmt.Sprintf("%d to %d", p.stream, p.graph) }

func (p ratePair) lower() float64 { return float64(min(p.stream, p.graph)) }

func (p ratePair) ratio() float64 { return float64(p.stream) / float64(p.graph) }

// stoppedFrom is where the filter stops, in Hz: half of the lower rate, where the 0.5 ms
// that it may take are enough for that.
func (p ratePair) stoppedFrom() float64 {
	if p.lower() >= 32000 {
		return p.lower() / 2
	}
	return p.lower() * (0.4 + 0.1*21/math.Floor(7+p.lower()/2000))
}

func eachPair(t *testing.T, test func(t *testing.T, p ratePair)) {
	for _, p := range ratePairs {
		t.Run(p.String(), func(t *testing.T) { test(t, p) })
	}
}

// kernel is what a resampler makes of an impulse: pairs of time, in seconds, and value. Most
// of them lie between two phases of its table.
func (r resampler) kernel(streamHz int) (seconds, value []float64) {
	phases, n := 12000/r.taps()|1, r.taps()
	in, out := make([]float32, 2*n), make([]float32, n)
	in[n-1] = 1
	for p := range phases {
		fraction := float64(p) / float64(phases)
		r.run(in, 1, fraction, 1, out, n)
		for i, x := range out { // tap n-1-i, which lies so many frames from the position:
			frames := float64(n-1-i-r.lookbehind()) - fraction
			seconds, value = append(seconds, frames/float64(streamHz)), append(value, float64(x)/float64(phases))
		}
	}
	return seconds, value
}

// response is the level of a frequency, as a factor; the phase, which is 0 where a filter
// is symmetric, is in it.
func response(seconds, value []float64, hz float64) complex128 {
	var re, im float64
	for i, x := range value {
		sin, cos := math.Sincos(2 * math.Pi * hz * seconds[i])
		re, im = re+x*cos, im+x*sin
	}
	return complex(re, im)
}

// The images of a tone, and what is folded back as an alias, are the response at the
// frequencies at which they come out of the filter: one measurement finds both.
func TestBetweenDifferentRatesImagesAndAliasesAreBelow100dB(t *testing.T) {
	eachPair(t, func(t *testing.T, p ratePair) {
		r := newResampler(p.stream, p.graph)
		defer r.free()
		seconds, value := r.kernel(p.stream)
		passed, most, moved, stopped := 0.0, math.Inf(-1), 0.0, math.Inf(-1)
		for k := 0; k <= 60; k++ {
			hz := p.lower() * 0.4 * float64(k) / 60
			g := response(seconds, value, hz)
			passed = max(passed, math.Abs(decibel(math.Hypot(real(g), imag(g)))))
			moved = max(moved, math.Abs(imag(g)/real(g)))
		}
		for hz := p.lower() * 0.4; hz < p.stoppedFrom(); hz += p.lower() / 200 {
			most = max(most, decibel(math.Abs(real(response(seconds, value, hz)))))
		}
		for k := range 400 { // close at first, then a few lower rates far
			hz := p.stoppedFrom() + p.lower()*math.Pow(float64(k)/400, 2)*5
			g := response(seconds, value, hz)
			stopped = max(stopped, decibel(math.Hypot(real(g), imag(g))))
		}
		t.Logf("%d taps, %d frames ahead (%.3f ms): within %.3f dB to %.0f Hz, then at most %+.2f dB, at most %.1f dB from %.0f Hz", r.taps(), r.lookahead(),
			1e3*float64(r.lookahead())/float64(p.stream), passed, 0.4*p.lower(), most, stopped, p.stoppedFrom())
		if passed > 0.1 || most > 0.1 || stopped > -100 || moved > 1e-3 {
			t.Errorf("within %.3f dB, then at most %+.2f dB, stopped at %.1f dB, phase off by %.1e", passed, most, stopped, moved)
		}
	})
}

func TestBetweenDifferentRatesTheFilterTakesHalfAMillisecondMoreAtTheMost(t *testing.T) {
	for stream := 8000; stream <= 192000; stream += 9200 {
		for _, graph := range []int{8000, 11025, 16000, 44100, 48000, 96000, 192000} {
			p := ratePair{stream, graph}
			if stream == graph {
				continue
			}
			r := newResampler(stream, graph)
			ahead := float64(r.lookahead()-1) / float64(stream) // one for rounding up
			if allowed := float64(LookaheadFrames)/p.lower() + 0.5e-3; ahead > allowed {
				t.Errorf("%v: %d frames, %.3f ms, allowed %.3f", p, r.lookahead(), ahead*1e3, allowed*1e3)
			}
			if r.taps()%4 != 0 || r.taps() != r.lookahead()+r.lookbehind()+1 {
				t.Errorf("%v: %d taps, %d before and %d ahead", p, r.taps(), r.lookbehind(), r.lookahead())
			}
			r.free()
		}
	}
}

// converted is what a graph of another rate plays of a stream, from a moment on at which
// all is settled, and the position of its first frame in the stream.
type converted struct {
	p        ratePair
	v        *Virtual
	sender   player
	period   int
	cycles   int // so far
	sent     int
	position float64
	sound    []float32
	starts   []float64 // the position of each cycle
}

const convertedBase = 1 << 20

func (p ratePair) begin(t *testing.T, source func(frame int64) float32, delay int64, period int) *converted {
	t.Helper()
	v, err := NewVirtual(p.graph)
	check(t, err)
	t.Cleanup(v.Close)
	format := stream.Format{Encoding: stream.F32, RateHz: p.stream, Channels: 1}
	check(t, v.StartReceiver(stream.ReceivePlan{Format: format, GraphRateHz: p.graph, PayloadType: 98, SSRC: playerSSRC}))
	c := &converted{p: p, v: v, sender: player{channels: 1, base: convertedBase, source: source}, period: period}
	c.delayTo(delay)
	return c
}

func (c *converted) delayTo(frames int64) { c.v.SeekTo(convertedBase - frames) }

// run plays so many cycles.
func (c *converted) run(cycles int) {
	const packet = 16
	buf := make([]stream.Observation, 512)
	for range cycles {
		nowNs := int64(1e9 + float64(c.cycles)*float64(c.period)/float64(c.p.graph)*1e9)
		for float64(c.sent*packet) < float64((c.cycles+1)*c.period)*c.p.ratio() {
			c.v.Receive(c.sender.packetOf(uint16(c.sent), int64(c.sent*packet), packet), nowNs)
			c.sent++
		}
		c.sound = append(c.sound, c.v.Play(1, c.period, uint64(c.cycles*c.period), nowNs)[0]...)
		c.cycles++
		for n := 1; n > 0; {
			n = c.v.Observe(buf)
			for _, o := range buf[:n] {
				if o.Kind == stream.KindCycle {
					c.starts = append(c.starts, float64(o.Position-convertedBase)+o.PositionFraction)
				}
			}
		}
	}
	c.position = c.starts[0]
}

// convert plays so many cycles, delay frames of the stream behind it.
func (p ratePair) convert(t *testing.T, source func(frame int64) float32, delay int64, period, cycles int) *converted {
	t.Helper()
	c := p.begin(t, source, delay, period)
	c.run(cycles)
	return c
}

// toneOf is a full-scale tone of a stream.
func (p ratePair) toneOf(hz float64) func(int64) float32 {
	return func(frame int64) float32 {
		return float32(math.Sin(2 * math.Pi * hz * float64(frame) / float64(p.stream)))
	}
}

func TestTonesBetweenDifferentRatesAreCleanInTuneAndAtTheirLevel(t *testing.T) {
	eachPair(t, func(t *testing.T, p ratePair) {
		for _, share := range []float64{0.02, 0.2, 0.3999} {
			hz := share * p.lower()
			c := p.convert(t, p.toneOf(hz), int64(3000*p.ratio()), 256, 100)
			x := c.sound[40*256:]
			amplitude, _, residual := fit(x, hz*playerRate/float64(p.graph))
			thdn := decibel(residual / (amplitude / math.Sqrt2))
			t.Logf("%.0f Hz: %+.3f dB, THD+N %.1f dB", hz, decibel(amplitude), thdn)
			if math.Abs(decibel(amplitude)) > 0.1 || thdn > -100 {
				t.Errorf("%.0f Hz: %+.3f dB, THD+N %.1f dB", hz, decibel(amplitude), thdn)
			}
			wantCount(t, "concealed frames", c.v.Counters().Received.ConcealedFrames, 0)
		}
	})
}

// What lies above half of the graph's rate must not be heard as something else.
func TestWhatTheGraphCannotPlayIsSilent(t *testing.T) {
	for _, p := range []ratePair{{96000, 48000}, {48000, 44100}, {192000, 44100}} {
		for _, share := range []float64{0.5, 0.55, 0.75, 0.95} {
			hz := share * float64(p.graph)
			if hz >= float64(p.stream)/2 {
				continue
			}
			c := p.convert(t, p.toneOf(hz), 20000, 256, 200)
			loudest := 0.0
			for _, x := range c.sound[150*256:] {
				loudest = max(loudest, math.Abs(float64(x)))
			}
			if decibel(loudest) > -100 {
				t.Errorf("%v: a tone of %.0f Hz comes out at %.1f dB", p, hz, decibel(loudest))
			}
		}
	}
}

// Behind the cross-fade it is the stream again, and none of what had come is missing.
func TestASeekBetweenDifferentRatesDropsNothing(t *testing.T) {
	eachPair(t, func(t *testing.T, p ratePair) {
		for _, ms := range []int{1, 4, 10, -1, -4, -10} {
			const period = 64
			by := int64(p.stream * ms / 1000)
			delay := int64(0.04 * float64(p.stream))
			before := int(0.15*float64(p.graph)) / period
			hz := p.lower() / 50
			c := p.begin(t, p.toneOf(hz), delay, period)
			c.run(before)
			c.delayTo(delay - by)
			c.run(before)
			r := c.v.Counters().Received
			if r.ConcealedFrames+r.Dropouts+r.DiscardedLate > 0 {
				t.Errorf("by %d ms: %d frames concealed, %d dropouts, %d packets late", ms, r.ConcealedFrames, r.Dropouts, r.DiscardedLate)
			}
			for n := before + 1; n < c.cycles; n++ {
				for i, x := range c.sound[n*period : (n+1)*period] {
					want := math.Sin(2 * math.Pi * hz * (c.starts[n] + float64(i)*p.ratio()) / float64(p.stream))
					if math.Abs(float64(x)-want) > 0.02 {
						t.Fatalf("by %d ms: frame %d of the cycle %d after the seek: %v, want %v", ms, i, n-before, x, want)
					}
				}
			}
		}
	})
}

// An impulse comes out where the position says that its frame is: nothing is to be added to
// the delay that is published.
func TestAnImpulseBetweenDifferentRatesIsWhereThePositionSays(t *testing.T) {
	eachPair(t, func(t *testing.T, p ratePair) {
		const at = 5000
		impulse := func(frame int64) float32 {
			if frame == at {
				return 1
			}
			return 0
		}
		delay := int64(2000 * math.Max(1, p.ratio()))
		c := p.convert(t, impulse, delay, 64, int(float64(at+2*delay)/p.ratio()/64)+40)
		sum, moment := 0.0, 0.0
		for i, x := range c.sound {
			sum += float64(x)
			moment += float64(x) * float64(i)
		}
		want := (at - c.position) / p.ratio()
		if off := moment/sum - want; math.Abs(off) > 0.01 || math.Abs(sum*p.ratio()-1) > 0.012 {
			t.Errorf("%.4f frames of the graph off; its sum is %v", off, sum*p.ratio())
		}
	})
}

// The look-ahead that the servo adds to the latency is what is needed.
func TestBetweenDifferentRatesTheResamplerReadsAheadWhatItDeclares(t *testing.T) {
	eachPair(t, func(t *testing.T, p ratePair) {
		const period = 64
		ahead := p.convert(t, p.toneOf(p.lower()/100), 0, period, 1).v.LookaheadFrames()
		predicted := func(delay int64) uint64 {
			return p.convert(t, p.toneOf(p.lower()/100), delay, period, 200).v.Counters().Received.Predicted
		}
		// A cycle reads so many frames beyond its position's, of those that came for it.
		least := int64(ahead) + 2 + int64(math.Ceil(math.Max(0, 1-p.ratio())))
		if n := predicted(least); n != 0 {
			t.Errorf("%d frames behind: predicted in %d cycles", least, n)
		}
		if n := predicted(int64(ahead) - 18 - int64(p.ratio())); n == 0 {
			t.Errorf("the look-ahead of %d frames is not needed", ahead)
		}
	})
}

// The vectors compute what the plain sum says, for tables of any length, and write nothing
// beyond.
func TestVectorsAndAPlainSumAgreeBetweenDifferentRates(t *testing.T) {
	eachPair(t, func(t *testing.T, p ratePair) {
		r := newResampler(p.stream, p.graph)
		defer r.free()
		n := r.taps()
		one := func(fraction float64) []float64 {
			in, out, h := make([]float32, 2*n-1), make([]float32, n), make([]float64, n)
			in[n-1] = 1
			r.run(in, 1, fraction, 1, out, n)
			for i, x := range out {
				h[n-1-i] = float64(x)
			}
			return h
		}
		for _, frames := range []int{1, 3, 4, 6} {
			window := int(float64(frames)*p.ratio()) + n + 1
			in, out := make([]float32, 3*window), make([]float32, 3*frames+4)
			for i := range in {
				in[i] = float32(math.Sin(float64(i * i)))
			}
			out[3*frames] = 77
			r.run(in, 3, 0.3, p.ratio(), out, frames)
			for i := range frames {
				whole, part := math.Modf(0.3 + float64(i)*p.ratio())
				for c := range 3 {
					want := 0.0
					for j, x := range one(part) {
						want += x * float64(in[c*window+int(whole)+j])
					}
					if got := float64(out[c*frames+i]); math.Abs(got-want) > 1e-5 {
						t.Fatalf("channel %d frame %d: got %v, want %v", c, i, got, want)
					}
				}
			}
			if out[3*frames] != 77 {
				t.Fatal("wrote beyond the end")
			}
		}
	})
}

func BenchmarkBetweenRates(b *testing.B) {
	for _, p := range ratePairs[:5] {
		r := newResampler(p.stream, p.graph)
		b.Run(p.String(), func(b *testing.B) {
			const channels, frames = 2, 64
			in, out := make([]float32, channels*(int(frames*p.ratio())+r.taps()+1)), make([]float32, channels*frames)
			for range b.N {
				r.run(in, channels, 0.25, p.ratio(), out, frames)
			}
		})
		r.free()
	}
}

func BenchmarkRateFilterSetUp(b *testing.B) {
	for range b.N {
		newResampler(192000, 44100).free()
	}
}

package rt

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
)

// Two pieces of one tone cross-faded: never louder than the tone, never steeper
// than the tone and the fade together.
func (p *player) wantCrossFade(at int) {
	p.t.Helper()
	p.wantNoClick(at-100, min(at+200, len(p.got[0])), clickLimit())
	for i, x := range p.got[0][at-100:] {
		if math.Abs(float64(x)) > 0.2501 {
			p.t.Fatalf("frame %d: %v is louder than the tone", at-100+i, x)
		}
	}
}

// A receiver whose graph missed cycles plays on where it would be by now.
func TestAnOwnSkipMovesPlayoutByAsMuchCrossFaded(t *testing.T) {
	for _, missed := range []int{1, 2, 5, 30} {
		t.Run(fmt.Sprint(missed), func(t *testing.T) {
			const delay = 200
			p := newPlayer(t, 1, 64)
			p.delayTo(delay)
			p.run(50, p.regular)
			at := len(p.got[0])
			p.frame += uint64(missed * 64)
			var backlog [][]byte // what came while the graph stood still
			for n := 50; n <= 50+missed; n++ {
				backlog = append(backlog, p.packet(n))
			}
			p.play(backlog...)
			p.run(50, func(n int) [][]byte { return p.regular(n + missed) })
			p.wantCrossFade(at)
			for i := at + crossfadeFrames; i < len(p.got[0]); i++ {
				if want := p.source(int64(i + missed*64 - delay)); p.got[0][i] != want {
					t.Fatalf("frame %d: got %v, want %v", i, p.got[0][i], want)
				}
			}
			r := p.received()
			wantCount(t, "skips", r.Skips, 1)
			wantCount(t, "skipped frames", r.SkippedFrames, uint64(missed*64))
			wantCount(t, "lost", r.Lost, 0)
			wantCount(t, "late", r.DiscardedLate, 0)
			wantCount(t, "concealed frames", r.ConcealedFrames, 0)
		})
	}
}

// Longer than the buffer is.
func TestAHugeOwnSkipIsSilentAndComesBack(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	p.run(50, p.regular)
	at := len(p.got[0])
	const missed = 3000
	p.frame += missed * 64
	p.run(50, func(n int) [][]byte { return p.regular(n + missed) })
	p.wantCrossFade(at)
	for i := at + 4*64 + crossfadeFrames; i < len(p.got[0]); i++ {
		if want := p.source(int64(i + missed*64 - 128)); p.got[0][i] != want {
			t.Fatalf("frame %d: got %v, want %v", i, p.got[0][i], want)
		}
	}
}

// furthestBack is how far a step may go back to what was played. The cross-fade goes on from
// where it was, and the resampler reads frames before its position.
const furthestBack = int64(4096 - crossfadeFrames - lookbehindFrames)

func TestASeekIsCrossFadedAndThenExact(t *testing.T) {
	for _, period := range []int{16, 32, 64, 256} {
		for _, by := range []int64{1, -1, 7, -7, 64, -64, 300, -300, -1000, -3000, -furthestBack} {
			t.Run(fmt.Sprintf("period %d, %d frames", period, by), func(t *testing.T) {
				const delay = 1024
				p := newPlayer(t, 1, period)
				p.delayTo(delay)
				before := 8192 / period
				p.run(before, p.regular)
				p.delayTo(delay - by)
				at := len(p.got[0])
				p.run(8192/period, p.regular)
				p.wantStream(delay+400, at, delay)
				fade := min(period, crossfadeFrames) // a shorter cycle has a shorter, steeper fade
				for i := range fade {
					in := 0.5 - 0.5*math.Cos(math.Pi*(float64(i*crossfadeFrames/fade)+0.5)/crossfadeFrames)
					before, after := p.source(int64(at+i)-delay), p.source(int64(at+i)-delay+by)
					want := float64(before)*(1-in) + float64(after)*in
					if got := float64(p.got[0][at+i]); math.Abs(got-want) > 1e-6 {
						t.Fatalf("frame %d of the cross-fade: got %v, want %v", i, got, want)
					}
				}
				p.wantStream(at+crossfadeFrames, len(p.got[0]), delay-by)
				wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
				wantCount(t, "skips", p.received().Skips, 0)
			})
		}
	}
}

// What came last is stored right before what was played longest ago. Further back than that is
// silence.
func TestAStepBackIsExactInABufferThatIsFull(t *testing.T) {
	const full = 32768 - 4096 - 64
	for _, further := range []int64{0, 1, 12, 13, 64, 200} {
		p := newPlayer(t, 1, 64)
		p.delayTo(full)
		p.run(full/64+200, p.regular)
		p.delayTo(full + furthestBack + further)
		at := len(p.got[0])
		p.run(200, func(int) [][]byte { return nil })
		if further == 0 {
			p.wantStream(at+crossfadeFrames, len(p.got[0]), full+furthestBack)
		} else {
			p.wantSilence(at+crossfadeFrames, len(p.got[0]))
		}
		wantCount(t, "packets outside", p.received().Outside, 0)
		wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
	}
}

// The sender counted too much time as lost: its timestamps go back.
func TestTimeThatTheSenderTakesBackIsCrossFaded(t *testing.T) {
	for _, period := range []int{16, 32, 64, 256} {
		for _, back := range []int{1, 10, 54, 200} {
			t.Run(fmt.Sprintf("period %d, %d frames", period, back), func(t *testing.T) {
				const delay = 1024
				p := newPlayer(t, 1, period)
				p.delayTo(delay)
				p.run(4096/period, p.regular)
				at := len(p.got[0]) + delay - back // first plays what was sent twice
				p.base -= uint32(back)
				p.run(4096/period, p.regular)
				p.wantStream(delay+400, at, delay)
				fade := min(back, period, crossfadeFrames)
				p.wantStream(at+fade, len(p.got[0]), delay-int64(back))
				if _, step := largestStep(p.got[0][at-8 : at+fade+8]); period >= 32 && back >= 10 && step > 2*clickLimit() {
					t.Errorf("a step of %.3f", step)
				}
				wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
			})
		}
	}
}

// The sound there was lost: faded out to silence, and in where the stream goes on.
func TestASeekIntoAGapIsSilentUntilItEnds(t *testing.T) {
	for _, first := range []int{88, 89, 90} { // the packets lost; played from frame 5376 on
		const delay, by = 1024, 480 // to frame 5856, in packet 91
		p := newPlayer(t, 1, 64)
		p.delayTo(delay)
		p.run(100, p.lose(first, 93))
		p.delayTo(delay - by)
		at := len(p.got[0])
		p.run(40, p.regular)
		p.wantCrossFade(at)
		end := at + 94*64 - 5856
		p.wantSilence(at+crossfadeFrames, end)
		p.wantNoClick(end-10, end+200, clickLimit())
		p.wantStream(end+crossfadeFrames, len(p.got[0]), delay-by)
	}
}

// A fade of a whole short cycle is still no jump.
func TestASeekAtAShortPeriodDoesNotClick(t *testing.T) {
	for _, period := range []int{16, 32} {
		p := newPlayer(t, 1, period)
		p.delayTo(512)
		p.run(4096/period, p.regular)
		p.delayTo(512 + 54) // half a wave of the tone: the worst
		at := len(p.got[0])
		p.run(1024/period, p.regular)
		if _, step := largestStep(p.got[0][at-64 : at+128]); step > 2*clickLimit() {
			t.Errorf("period %d: a step of %.3f", period, step)
		}
	}
}

func TestSeeksBeyondTheBufferAreSilentUntilTheStreamIsThere(t *testing.T) {
	for _, by := range []int64{-5000, -100000, 9000, 100000, -1 << 40, 1 << 40} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			const delay = 256
			p := newPlayer(t, 1, 64)
			p.delayTo(delay)
			p.run(100, p.regular)
			at := len(p.got[0])
			p.delayTo(delay - by)
			p.run(20, p.regular)
			p.wantNoClick(at-64, len(p.got[0]), clickLimit())
			p.wantSilence(at+500, len(p.got[0]))
			back := len(p.got[0])
			p.delayTo(delay)
			p.run(50, p.regular)
			p.wantNoClick(back-64, len(p.got[0]), clickLimit())
			p.wantStream(back+8*64, len(p.got[0]), delay)
		})
	}
}

// A step back shortly after playout began reaches before what was ever stored.
func TestNothingOldIsHeardAfterASeekBackFromAFreshStart(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.source = func(int64) float32 { return 0.5 }
	p.delayTo(128)
	p.run(500, p.regular)
	p.v.Mute()
	p.run(300, p.regular)
	p.source = func(int64) float32 { return 0.25 } // all that is received from now on
	p.delayTo(128)
	p.run(4, p.regular)
	at := len(p.got[0])
	p.delayTo(3000)
	p.run(40, p.regular)
	if loudest := slices.Max(p.got[0][at:]); loudest > 0.2501 {
		t.Errorf("a sample of %v, which was received before the mute", loudest)
	}
}

func TestMuteFadesOutAndTheStreamComesBack(t *testing.T) {
	p := newPlayer(t, 2, 64)
	p.delayTo(128)
	p.run(50, p.regular)
	p.v.Mute()
	at := len(p.got[0])
	p.run(50, p.regular)
	p.wantNoClick(at-64, at+128, clickLimit())
	p.wantSilence(at+crossfadeFrames, at+50*64)
	for _, o := range p.observe() {
		if o.Kind == stream.KindCycle && o.TimeNs > 1e9+int64(51*64)*1e9/playerRate && o.TimeNs < p.nowNs() && o.Playing {
			t.Fatal("a muted cycle says that it plays")
		}
	}
	packets := p.received().Packets
	wantCount(t, "packets while mute are observed", packets, 100)
	back := len(p.got[0])
	p.delayTo(128)
	p.run(50, p.regular)
	p.wantNoClick(back, len(p.got[0]), clickLimit())
	p.wantStream(back+5*64, len(p.got[0]), 128)
	wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
}

func TestMuteTwiceAndBeforeTheStartIsSilence(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.v.Mute()
	p.run(10, p.regular)
	p.v.Mute()
	p.run(10, p.regular)
	p.wantSilence(0, 20*64)
}

// A receiver that was told no position yet plays nothing and reports packets.
func TestBeforeTheFirstSeekThereIsSilence(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.run(20, p.regular)
	p.wantSilence(0, 20*64)
	packets, cycles := 0, 0
	for _, o := range p.observe() {
		switch o.Kind {
		case stream.KindPacket:
			if want := int64(p.base) + int64(packets*64); o.Media != want || o.Frames != 64 {
				t.Errorf("packet %d: media %d, want %d; %d frames", packets, o.Media, want, o.Frames)
			}
			packets++
		case stream.KindCycle:
			if o.Media != int64(cycles*64) || o.Playing || o.Frames != 64 {
				t.Errorf("cycle %d: %+v", cycles, o)
			}
			cycles++
		}
	}
	if packets != 20 || cycles != 20 {
		t.Errorf("observed %d packets, %d cycles", packets, cycles)
	}
}

func TestObservedPositionsAreWhatIsPlayed(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(200)
	p.run(5, p.regular)
	p.v.SetRatio(1.001)
	p.run(1000, p.regular)
	position, seen := 0.0, 0
	for _, o := range p.observe() {
		if o.Kind != stream.KindCycle {
			continue
		}
		if !o.Playing {
			t.Fatalf("cycle %d does not play", seen)
		}
		if want := int64(p.base) + int64(seen*64) - 200; seen <= 5 && (o.Position != want || o.PositionFraction != 0) {
			t.Errorf("cycle %d: position %d + %v, want %d", seen, o.Position, o.PositionFraction, want)
		}
		if seen > 5 {
			got := float64(o.Position) + o.PositionFraction
			if d := got - position - 64*1.001; math.Abs(d) > 1e-6 {
				t.Fatalf("cycle %d: moved by %v", seen, got-position)
			}
		}
		if want := map[bool]float64{true: 1.001, false: 1}[seen >= 5]; o.Ratio != want {
			t.Errorf("cycle %d: ratio %v, want %v", seen, o.Ratio, want)
		}
		position = float64(o.Position) + o.PositionFraction
		seen++
	}
	if seen != 1005 {
		t.Errorf("observed %d cycles", seen)
	}
}

// Nobody reads the observations: the stream plays on, what is lost is counted.
func TestControlThatStandsStillLosesObservationsAndNoSound(t *testing.T) {
	p := newPlayer(t, 1, 32)
	p.delayTo(64)
	p.run(10000, p.regular)
	p.wantStream(300, 10000*32, 64)
	read := len(p.observe())
	wantCount(t, "observations read and lost", uint64(read)+p.received().Observations, 20000)
	if read != 8192 {
		t.Errorf("read %d observations", read)
	}
}

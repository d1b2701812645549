package rt

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

const fadeFrames = playerRate / 100 // concealment is silent after 10 ms

func TestReorderedPacketsAreCountedAndPlayedAsIfInOrder(t *testing.T) {
	p := newPlayer(t, 2, 64)
	p.delayTo(256)
	var held []byte
	p.run(60, func(n int) [][]byte {
		switch n {
		case 20, 33: // swapped with the next
			held = p.packet(n)
			return nil
		case 21, 34:
			return [][]byte{p.packet(n), held}
		case 40: // two cycles late, and still in time
			held = p.packet(n)
			return nil
		case 42:
			return [][]byte{p.packet(n), held}
		}
		return p.regular(n)
	})
	p.wantStream(600, 60*64, 256)
	r := p.received()
	wantCount(t, "reordered", r.Reordered, 3)
	wantCount(t, "lost", r.Lost, 0)
	wantCount(t, "packets", r.Packets, 60)
	wantCount(t, "late", r.DiscardedLate, 0)
	wantCount(t, "concealed frames", r.ConcealedFrames, 0)
}

func TestTheFirstTwoPacketsMaySwap(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(256)
	p.play(p.packet(1), p.packet(0))
	p.run(20, func(n int) [][]byte { return p.regular(n + 1) })
	r := p.received()
	wantCount(t, "reordered", r.Reordered, 1)
	wantCount(t, "lost", r.Lost, 0)
	wantCount(t, "packets", r.Packets, 22)
}

func TestDuplicatesAreCountedAndChangeNothing(t *testing.T) {
	p := newPlayer(t, 2, 64)
	p.delayTo(128)
	p.run(60, func(n int) [][]byte {
		packets := p.regular(n)
		if n%7 == 3 {
			packets = append(packets, p.packet(n), p.packet(n-1), p.packet(n-2))
		}
		return packets
	})
	p.wantStream(400, 60*64, 128)
	r := p.received()
	wantCount(t, "duplicate", r.Duplicate, 9*3)
	wantCount(t, "packets", r.Packets, 60)
	wantCount(t, "lost", r.Lost, 0)
	wantCount(t, "reordered", r.Reordered, 0)
	wantCount(t, "bytes", r.Bytes, 60*64*2*4)
}

// The packet exactly as far back as the window is wide was never seen.
func TestAPacketFromTheEdgeOfTheDuplicateWindowIsNoDuplicate(t *testing.T) {
	for _, back := range []int{8191, 8192, 8193} {
		p := newPlayer(t, 1, 4)
		p.run(9000, p.lose(100, 100))
		p.play(p.packet(8999)) // the newest once more
		wantCount(t, "duplicate", p.received().Duplicate, 1)
		p.v.Receive(p.packetOf(p.firstSequence+uint16(8999-back), 0, 4), p.nowNs())
		if back <= 8191 {
			wantCount(t, "duplicate", p.received().Duplicate, 2)
		} else {
			wantCount(t, fmt.Sprintf("duplicate, %d back", back), p.received().Duplicate, 1)
		}
	}
}

func TestLostPacketsAreCountedExactlyAndConcealedWithoutAClick(t *testing.T) {
	for _, period := range []int{32, 64, 256} {
		for _, lost := range []int{1, 2, 3, 5, 16, 100} {
			t.Run(fmt.Sprintf("period %d, %d lost", period, lost), func(t *testing.T) {
				p := newPlayer(t, 2, period)
				delay := int64(period)
				p.delayTo(delay)
				first := 40
				p.run(first+lost+40, p.lose(first, first+lost-1))
				r := p.received()
				wantCount(t, "lost", r.Lost, uint64(lost))
				wantCount(t, "concealed frames", r.ConcealedFrames, uint64(lost*period))
				wantCount(t, "dropouts", r.Dropouts, 1)
				wantCount(t, "reordered", r.Reordered, 0)

				gap, end := (first+1)*period, (first+1+lost)*period
				p.wantStream(4*period+100, gap, delay)
				p.wantNoClick(gap-100, min(end+200, len(p.got[0])), clickLimit())
				if gap+fadeFrames < end {
					p.wantSilence(gap+fadeFrames, end)
				}
				p.wantStream(end+crossfadeFrames, len(p.got[0]), delay)
			})
		}
	}
}

const crossfadeFrames = 64

// Level and shape of the concealment: as loud as the sound before it for 5 ms,
// then falling; never louder; never a loop.
func TestConcealmentFallsAndIsNeverLouder(t *testing.T) {
	p := newPlayer(t, 9, 64) // the last channel is mirrored, not predicted
	p.delayTo(64)
	p.run(80, p.lose(40, 60))
	gap := 41 * 64
	for _, c := range []int{0, 7, 8} {
		x, full := p.got[c], 0.25/float64(c+1)
		if held := rms(x[gap:gap+fadeFrames/2]) * math.Sqrt2 / full; held < 0.85 || held > 1.15 {
			t.Errorf("channel %d: level %.3f while held", c, held)
		}
		for i := gap + fadeFrames*4/5; i < gap+fadeFrames; i++ {
			if v := math.Abs(float64(x[i])); v > 0.346*full { // the cosine at 3/5 of its fall
				t.Fatalf("channel %d frame %d: %v near the end", c, i, v)
			}
		}
		for i, v := range x {
			if math.Abs(float64(v)) > full*1.0004 {
				t.Fatalf("channel %d frame %d: %v", c, i, v)
			}
		}
	}
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}

// A gap that ends within the fade or the cross-fade of the gap before.
func TestLossesInQuickSuccessionDoNotClick(t *testing.T) {
	for _, period := range []int{16, 32, 64} {
		p := newPlayer(t, 1, period)
		p.delayTo(int64(period))
		lost := uint64(0)
		cycles := 200
		p.run(cycles, func(n int) [][]byte {
			if n > 40 && n < 160 && n%3 != 0 {
				lost++
				return nil
			}
			return p.regular(n)
		})
		p.wantNoClick(20*period, cycles*period, 1.5*clickLimit())
		r := p.received()
		wantCount(t, "lost", r.Lost, lost)
		wantCount(t, "concealed frames", r.ConcealedFrames, lost*uint64(period))
		wantCount(t, "dropouts", r.Dropouts, 40)
	}
}

// A stream that ends is one dropout of at most a second, then nothing more.
func TestAStreamThatEndsFadesAndStopsCounting(t *testing.T) {
	p := newPlayer(t, 1, 256)
	p.delayTo(256)
	p.run(1000, p.lose(50, 1000))
	end := 51 * 256
	p.wantNoClick(end-100, len(p.got[0]), clickLimit())
	p.wantSilence(end+fadeFrames, len(p.got[0]))
	r := p.received()
	wantCount(t, "dropouts", r.Dropouts, 1)
	wantCount(t, "concealed frames", r.ConcealedFrames, playerRate)
	wantCount(t, "lost", r.Lost, 0)
}

func TestALatePacketIsCountedAndChangesNothing(t *testing.T) {
	play := func(late bool) *player {
		p := newPlayer(t, 2, 64)
		p.delayTo(128)
		p.run(80, func(n int) [][]byte {
			switch {
			case n == 40:
				return nil
			case n == 45 && late:
				return append(p.regular(n), p.packet(40))
			}
			return p.regular(n)
		})
		return p
	}
	with, without := play(true), play(false)
	for c := range with.got {
		if !slices.Equal(with.got[c], without.got[c]) {
			t.Errorf("channel %d: the late packet changed the sound", c)
		}
	}
	a, b := with.received(), without.received()
	wantCount(t, "late", a.DiscardedLate, 1)
	wantCount(t, "reordered", a.Reordered, 1)
	wantCount(t, "lost, it came after all", a.Lost, 0)
	wantCount(t, "lost without it", b.Lost, 1)
	wantCount(t, "concealed frames", a.ConcealedFrames, b.ConcealedFrames)
}

// Half of the packet's frames were due before it came.
func TestTheRestOfAPartlyLatePacketIsPlayed(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(96)
	p.run(80, func(n int) [][]byte {
		switch n {
		case 40:
			return nil
		case 42: // frames 2560 on; played up to 42*64-96 = 2592
			return append([][]byte{p.packet(40)}, p.regular(n)...)
		}
		return p.regular(n)
	})
	r := p.received()
	wantCount(t, "late", r.DiscardedLate, 1)
	wantCount(t, "concealed frames", r.ConcealedFrames, 32)
	gap := 40*64 + 96
	p.wantNoClick(gap-64, gap+200, clickLimit())
	p.wantStream(gap+32+crossfadeFrames, len(p.got[0]), 96)
}

// When the buffer has wrapped, frames that came too late must not be taken for frames that
// are missing in the same place.
func TestNothingOfALatePacketIsLeftInTheBuffer(t *testing.T) {
	const bufferFrames, late = 32768, 40 // at this rate
	for _, delay := range []int64{64 + 1, 64 + 32, 64 + 63} {
		p := newPlayer(t, 1, 64)
		p.delayTo(delay)
		p.run(late+bufferFrames/64+20, func(n int) [][]byte {
			switch n {
			case late, late + bufferFrames/64:
				return nil
			case late + 2: // the last delay-64 of its frames are not played yet
				return append([][]byte{p.packet(late)}, p.regular(n)...)
			}
			return p.regular(n)
		})
		r := p.received()
		wantCount(t, "late", r.DiscardedLate, 1)
		wantCount(t, "concealed frames", r.ConcealedFrames, uint64(128-delay)+64)
	}
}

func TestWrapsAreNotHeard(t *testing.T) {
	for name, start := range map[string]struct {
		sequence uint16
		base     uint32
	}{
		"sequence number": {65535 - 30, 1000},
		"timestamp":       {100, math.MaxUint32 - 2000},
		"both at once":    {65535 - 30, math.MaxUint32 - 31*64 + 1},
		"half way":        {32767 - 30, 1<<31 - 2000},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(t, 2, 64)
			p.firstSequence, p.base = start.sequence, start.base
			p.delayTo(128)
			p.run(100, p.lose(60, 60))
			p.wantStream(400, 61*64, 128)
			p.wantStream(63*64+crossfadeFrames, 100*64, 128)
			r := p.received()
			wantCount(t, "packets", r.Packets, 99)
			wantCount(t, "lost", r.Lost, 1)
			wantCount(t, "outside", r.Outside, 0)
			if want := uint32(start.sequence) + 99; r.HighestSequence != want {
				t.Errorf("highest sequence: got %d, want %d", r.HighestSequence, want)
			}
		})
	}
}

// Reordered across the wrap of both counters.
func TestReorderAcrossAWrapIsPlayedInOrder(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.firstSequence, p.base = 65535-39, math.MaxUint32-40*64+1 // both wrap between packets 39 and 40
	p.delayTo(256)
	p.run(80, func(n int) [][]byte {
		switch n {
		case 39:
			return nil
		case 40:
			return [][]byte{p.packet(40), p.packet(39)}
		}
		return p.regular(n)
	})
	p.wantStream(600, 80*64, 256)
	wantCount(t, "reordered", p.received().Reordered, 1)
	wantCount(t, "outside", p.received().Outside, 0)
}

// The sender's graph lost time: timestamps jump, sequence numbers do not.
func TestASendersSkipConcealsExactlyTheFramesItLost(t *testing.T) {
	for _, lost := range []int{1, 17, 64, 100, 1000, 5000} {
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			const delay = 128
			p := newPlayer(t, 1, 64)
			p.delayTo(delay)
			// From packet 50 on, frames that were lost are missing from the stream.
			p.run(200, func(n int) [][]byte {
				from := n * 64
				if n < 50 {
					return [][]byte{p.packet(n)}
				}
				if from < 50*64+lost {
					return nil // the graph stands still
				}
				sequence := p.firstSequence + 50 + uint16((from-50*64-lost)/64)
				return [][]byte{p.packetOf(sequence, int64(50*64+lost+(from-50*64-lost)/64*64), 64)}
			})
			r := p.received()
			wantCount(t, "lost", r.Lost, 0)
			wantCount(t, "dropouts", r.Dropouts, 1)
			wantCount(t, "concealed frames", r.ConcealedFrames, uint64(lost))
			gap := 50*64 + delay
			p.wantStream(400, gap, delay)
			p.wantNoClick(gap-64, gap+lost+100, clickLimit())
			p.wantStream(gap+lost+crossfadeFrames, len(p.got[0]), delay)
		})
	}
}

func TestAPacketFarAheadInPlaceOfALostOneIsImplausible(t *testing.T) {
	play := func(stray bool) *player {
		p := newPlayer(t, 1, 64)
		p.delayTo(128)
		p.run(80, func(n int) [][]byte {
			packets := p.regular(n)
			if n >= 70 && stray { // the sequence number is that of the packet lost at 60
				packets = append(packets, p.packetOf(p.firstSequence+60, 1<<20, 64))
				stray = false
			}
			if n == 60 {
				return nil
			}
			return packets
		})
		return p
	}
	with, without := play(true), play(false)
	if !slices.Equal(with.got[0], without.got[0]) {
		t.Error("it changed the sound")
	}
	wantCount(t, "implausible", with.received().Implausible, 1)
	wantCount(t, "lost", with.received().Lost, 1)
	wantCount(t, "late", with.received().DiscardedLate, 0)
}

func TestThePacketThatFollowsAndIsFarAheadIsOutside(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	p.run(70, p.regular)
	p.play(p.packetOf(p.firstSequence+70, 1<<20, 64))
	wantCount(t, "outside", p.received().Outside, 1)
	wantCount(t, "implausible", p.received().Implausible, 0)
}

// Longer than the duplicate window, at the shortest period: 1.3 s.
func TestALongOutageIsCountedAsLost(t *testing.T) {
	p := newPlayer(t, 1, 32)
	p.delayTo(64)
	p.run(3000, p.lose(500, 2499))
	wantCount(t, "lost", p.received().Lost, 2000)
	end := 2502 * 32
	p.wantSilence(502*32+fadeFrames, end-32)
	p.wantStream(end+crossfadeFrames, len(p.got[0]), 64)
}

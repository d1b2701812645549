package rt

import (
	"math/rand/v2"
	"testing"

	"archibald-bridge/bridge/stream"
)

// strayed plays 200 packets; after the one numbered at, something else comes with the
// sequence number ahead and the timestamp advance (in frames) of that.
func strayed(t *testing.T, at, ahead int, advance int64, lose ...int) stream.ReceiveCounters {
	t.Helper()
	p := newPlayer(t, 1, 64)
	p.delayTo(256)
	p.run(200, func(n int) [][]byte {
		packets := p.regular(n)
		for _, lost := range lose {
			if n == lost {
				packets = nil
			}
		}
		if n == at {
			packets = append(packets, p.packetOf(p.firstSequence+uint16(n+ahead), int64(n*64)+advance, 64))
		}
		return packets
	})
	return p.received()
}

// Wrong in one bit, or forged: what one packet says of itself is no loss, and makes none
// good, however far it is from the others.
func TestOneWrongPacketIsNoLoss(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 14))
	for bit := range 16 {
		for name, advance := range map[string]int64{"timestamp right": 64, "timestamp wrong": int64(r.Int32()), "both of one bit": 64 ^ 1<<bit} {
			for _, sign := range []int{1, -1} {
				ahead := sign * (1 << bit)
				if ahead == 1 {
					continue // it is the next one
				}
				got := strayed(t, 100, ahead, advance)
				if got.Lost != 0 || got.Packets < 200 {
					t.Errorf("%d ahead, %s: lost %d, %d packets", ahead, name, int64(got.Lost), got.Packets)
				}
			}
		}
	}
	for range 300 {
		ahead, advance := int(int16(r.Uint32())), int64(int32(r.Uint32()))
		if got := strayed(t, 100, ahead, advance, 90, 91); got.Lost != 2 || got.Packets < 197 {
			t.Errorf("%d ahead, %d frames: lost %d of 2, %d packets", ahead, advance, int64(got.Lost), got.Packets)
		}
	}
}

func TestEveryOutageIsCountedAsLost(t *testing.T) {
	for _, period := range []int{32, 64, 256, 1024} {
		for _, lost := range []int{1, 2, 16, 100, playerRate / period, 2900} {
			p := newPlayer(t, 1, period)
			p.delayTo(int64(2 * period))
			p.run(50+lost+50, p.lose(50, 50+lost-1))
			wantCount(t, "lost", p.received().Lost, uint64(lost))
			wantCount(t, "implausible", p.received().Implausible, 0)
		}
	}
}

// A queue on the way held packets for most of a second, lost some and let the others
// go at once: the arrival says nothing about how many there were in between.
func TestALossInAQueueThatEmptiesAtOnceIsCounted(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	const held = 600
	p.run(900, func(n int) (packets [][]byte) {
		switch {
		case n < 100 || n > 100+held:
			return p.regular(n)
		case n < 100+held:
			return nil
		}
		for i := 100; i <= n; i++ {
			if i < 150 || i > 400 {
				packets = append(packets, p.packet(i))
			}
		}
		return packets
	})
	wantCount(t, "lost", p.received().Lost, 251)
	wantCount(t, "implausible", p.received().Implausible, 0)
}

// Each packet that comes after all makes its loss good, a second later, too.
func TestAPacketThatComesLateIsNoLoss(t *testing.T) {
	for _, behind := range []int{1, 2, 50, 700} {
		p := newPlayer(t, 1, 64)
		p.delayTo(128)
		p.run(900, func(n int) [][]byte {
			switch n {
			case 100:
				return nil
			case 100 + behind:
				return append(p.regular(n), p.packet(100))
			}
			return p.regular(n)
		})
		wantCount(t, "lost", p.received().Lost, 0)
		wantCount(t, "reordered", p.received().Reordered, 1)
	}
}

// The receiver's machine stood still, its clock with it: more is missing than time has
// passed, and the next packet confirms it.
func TestALossThatTimeDoesNotExplainCountsOnceItIsConfirmed(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	p.run(100, p.regular)
	p.firstSequence += 2000
	p.base += 2000 * 64
	p.run(1, p.regular)
	wantCount(t, "lost before that", p.received().Lost, 0)
	p.run(10, p.regular)
	wantCount(t, "lost", p.received().Lost, 2001) // and the one in doubt
	wantCount(t, "implausible", p.received().Implausible, 1)
	wantCount(t, "packets", p.received().Packets, 110)
}

// Numbers from anywhere: nothing is known to be lost.
func TestASenderThatBeginsAnewIsNoLoss(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 71))
	for range 200 {
		p := newPlayer(t, 1, 64)
		p.delayTo(128)
		p.run(10, p.regular)
		p.firstSequence, p.base = uint16(r.Uint32()), r.Uint32()
		p.run(100, p.regular)
		if got := p.received(); got.Lost != 0 || got.Implausible > 1 || got.Packets < 108 {
			t.Errorf("from %d, %d: lost %d, implausible %d, %d packets", p.firstSequence, p.base, int64(got.Lost), got.Implausible, got.Packets)
		}
	}
}

// Each number of the last seconds may be the one that it begins with.
func TestASenderThatBeginsAnewWithNumbersThatWereSeenIsHeardAtOnce(t *testing.T) {
	for behind := range 100 {
		p := newPlayer(t, 1, 64)
		p.delayTo(128)
		p.run(100, p.regular)
		p.firstSequence -= uint16(behind + 1) // its next packet is the 101st
		p.base += 1 << 30
		p.run(100, p.regular)
		if got := p.received(); got.Duplicate+got.Reordered+got.Lost != 0 || got.Implausible != 1 || got.Packets != 199 {
			t.Errorf("%d behind: duplicate %d, reordered %d, lost %d, implausible %d, %d packets", behind, got.Duplicate, got.Reordered, int64(got.Lost), got.Implausible, got.Packets)
		}
	}
}

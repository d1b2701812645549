package rt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"archibald-bridge/bridge/stream"
)

// lateInLookahead plays a tone of -12 dBFS, resampled. With late, every fifth
// packet comes a cycle late: the cycle before has played all of its frames but the
// last ones that the resampler reads ahead, lookahead in number.
func lateInLookahead(t *testing.T, hz float64, lookahead int, late bool) ([]float32, stream.ReceiveCounters) {
	p := newPlayer(t, 1, 64)
	p.source = sine(hz, 0.25)
	p.delayTo(int64(64 + LookaheadFrames - lookahead))
	p.v.SetRatio(1 + 7.5e-5) // from one whole frame nearly to the next
	var held []byte
	p.run(200, func(n int) [][]byte {
		packets := [][]byte{p.packet(n)}
		if held != nil {
			packets = [][]byte{held, packets[0]}
			held = nil
		}
		if late && n >= 40 && n%5 == 0 {
			held = packets[len(packets)-1]
			return packets[:len(packets)-1]
		}
		return packets
	})
	return p.got[0], p.received()
}

// What only the resampler's look-ahead misses is predicted for one cycle, and is
// no dropout when it comes before it is played.
func TestAPacketThatOnlyTheLookaheadMissesIsNotMissed(t *testing.T) {
	for _, hz := range []float64{1000, 10000} {
		for lookahead := 1; lookahead <= LookaheadFrames; lookahead++ {
			inTime, _ := lateInLookahead(t, hz, lookahead, false)
			late, r := lateInLookahead(t, hz, lookahead, true)
			wantCount(t, "dropouts", r.Dropouts, 0)
			wantCount(t, "concealed frames", r.ConcealedFrames, 0)
			wantCount(t, "late", r.DiscardedLate, 0)
			wantCount(t, "predicted", r.Predicted, 32)
			largest := 0.0
			for i := range late {
				largest = max(largest, math.Abs(float64(late[i])-float64(inTime[i])))
			}
			t.Logf("%5.0f Hz, %2d frames of the look-ahead missing: error %.1f dBFS", hz, lookahead, decibel(largest))
			if level := decibel(largest); level > -80 {
				t.Errorf("%.0f Hz, %d frames of the look-ahead missing: error %.1f dBFS", hz, lookahead, level)
			} else if lookahead == LookaheadFrames && largest == 0 {
				t.Error("nothing was predicted")
			}
		}
	}
}

// A whole frame's position needs no look-ahead.
func TestWithoutResamplingNothingIsReadAhead(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(64)
	p.run(100, func(n int) [][]byte {
		if n == 0 {
			return nil
		}
		return [][]byte{p.packet(n - 1)} // a cycle late, and just in time
	})
	p.wantStream(300, 6400, 64)
	r := p.received()
	wantCount(t, "predicted", r.Predicted, 0)
	wantCount(t, "concealed frames", r.ConcealedFrames, 0)
}

// What was predicted for the look-ahead does not come: it is the beginning of a
// gap like any other.
func TestALookaheadThatNeverComesIsAnOrdinaryGap(t *testing.T) {
	play := func(ratio float64) *player {
		p := newPlayer(t, 1, 64)
		p.source = sine(1000, 0.25)
		p.delayTo(64)
		p.v.SetRatio(ratio)
		p.run(80, p.lose(40, 40))
		return p
	}
	resampled, copied := play(1+1e-9), play(1)
	r := resampled.received()
	wantCount(t, "dropouts", r.Dropouts, 1)
	wantCount(t, "concealed frames", r.ConcealedFrames, 64)
	wantCount(t, "predicted", r.Predicted, 1)
	for i := 300; i < len(copied.got[0]); i++ {
		if d := math.Abs(float64(resampled.got[0][i]) - float64(copied.got[0][i])); d > 1e-5 {
			t.Fatalf("frame %d: off by %g", i, d)
		}
	}
}

// The simulator's receivers have no channels and count the same.
func TestPositionsAloneAreConcealedAndPredictedAlike(t *testing.T) {
	const period = 64
	for _, ratio := range []float64{1, 1 + 1e-6, 1 - 1e-6} {
		p := newPlayer(t, 2, period)
		v, err := NewVirtual(playerRate)
		check(t, err)
		defer v.Close()
		check(t, v.StartPositions(playerRate, playerRate, stream.Repeats{}))
		r := rand.New(rand.NewPCG(1, 2))
		due := map[int][]int{}
		for n := range 3000 {
			delay := int(r.ExpFloat64() * 0.7) // cycles
			if r.Float64() < 0.98 {
				due[n+delay] = append(due[n+delay], n)
			}
		}
		p.v.SetRatio(ratio)
		v.SetRatio(ratio)
		p.delayTo(2 * period)
		v.SeekTo(int64(p.base) - 2*period)
		for cycle := range 3000 {
			var packets [][]byte
			for _, n := range due[cycle] {
				packets = append(packets, p.packet(n))
				v.ReceivePosition(p.firstSequence+uint16(n), p.base+uint32(n*period), period, p.nowNs(), -1)
			}
			v.Advance(period, p.frame, p.nowNs())
			p.play(packets...)
		}
		a, b := p.received(), v.Counters().Received
		name := fmt.Sprintf("ratio %v: ", ratio)
		wantCount(t, name+"concealed frames", b.ConcealedFrames, a.ConcealedFrames)
		wantCount(t, name+"dropouts", b.Dropouts, a.Dropouts)
		wantCount(t, name+"predicted", b.Predicted, a.Predicted)
		wantCount(t, name+"late", b.DiscardedLate, a.DiscardedLate)
		if a.Dropouts < 100 || (ratio != 1) != (a.Predicted > 100) {
			t.Errorf("%s%d dropouts, %d predicted", name, a.Dropouts, a.Predicted)
		}
	}
}

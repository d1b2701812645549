package sim

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// startUp is how many cycles a leader has had when all are answered.
const startUp = 8

func lockedTone(frame int64) float32 {
	return float32(0.25 * math.Sin(2*math.Pi*440*float64(frame)/lockedRate))
}

// lockedNoise is a sound whose every frame is unlike all others.
func lockedNoise(frame int64) float32 {
	x := uint64(frame+1) * 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return float32(int32(x>>32)) / (1 << 31)
}

func runLocked(t *testing.T, l *Locked, cycles int) {
	t.Helper()
	if err := l.Run(cycles); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
}

// wantAnswers holds what the leader plays, from its first answers on, to what it captured
// AnswerPeriods before, bit for bit wherever the answer was there and seam says that no
// cross-fade is due. Returns the cycles without an answer.
func wantAnswers(t *testing.T, l *Locked, follower int, seam func(cycle int) bool) (missing []int) {
	t.Helper()
	for n := startUp; n < len(l.Cycles); n++ {
		c := l.Cycles[n]
		if !c.Whole[follower] {
			missing = append(missing, n)
			continue
		}
		if want := l.Cycles[n-l.AnswerPeriods].In; !slices.Equal(c.Out[follower], want) && (seam == nil || !seam(n)) {
			t.Fatalf("cycle %d of the leader is not the answer to %d", n, n-l.AnswerPeriods)
		}
	}
	return missing
}

// afterMissing says that a cross-fade of 64 frames behind a missing cycle may reach a cycle.
func afterMissing(l *Locked, follower int) func(int) bool {
	cycles := (64+l.PeriodFrames-1)/l.PeriodFrames + l.AnswerPeriods
	return func(n int) bool {
		for i := max(0, n-cycles); i < n; i++ {
			if !l.Cycles[i].Whole[follower] {
				return true
			}
		}
		return false
	}
}

func eachLock(t *testing.T, test func(t *testing.T, l *Locked)) {
	t.Helper()
	for _, period := range []int{16, 32, 64, 256, 1024} {
		for _, packets := range []int{1, 4} {
			for _, periods := range []int{1, 2} {
				t.Run(fmt.Sprintf("period %d, %d packets, answers after %d", period, packets, periods), func(t *testing.T) {
					test(t, &Locked{PeriodFrames: period, PacketFrames: min(period/packets, 256), AnswerPeriods: periods, Source: lockedNoise,
						Followers: []*Follower{{
							ThereNs: func() float64 { return 20e3 }, BackNs: func() float64 { return 20e3 }, GraphNs: func() float64 { return 50e3 },
						}}})
				})
			}
		}
	}
}

func TestALockedRoundTripIsOnePeriodBitForBit(t *testing.T) {
	eachLock(t, func(t *testing.T, l *Locked) {
		runLocked(t, l, 2000)
		if missing := wantAnswers(t, l, 0, nil); len(missing) > 0 {
			t.Errorf("cycles %v have no answer", missing)
		}
		leader, follower := l.Followers[0].Counters()
		if r := follower.Received; r.MadeUp+r.Takeovers+r.GivenUp+r.Skips+r.ConcealedFrames > 0 {
			t.Errorf("follower: %+v", r)
		}
		if r := leader.Received; r.Unanswered+r.PeerSkips+r.DiscardedLate+r.Lost > 0 {
			t.Errorf("leader: %+v", r)
		}
	})
}

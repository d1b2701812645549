package sim

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
	"archibald-bridge/testbed/signal"
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
		if r := leader.Received; r.Unanswered+r.LeftOut+r.DiscardedLate+r.Lost > 0 {
			t.Errorf("leader: %+v", r)
		}
	})
}

// wantExplained holds the leader's unanswered cycles, where each is one packet, to what is told
// of the answers.
func wantExplained(t *testing.T, leader stream.ReceiveCounters) {
	t.Helper()
	if told := leader.DiscardedLate + leader.Lost + leader.LeftOut; leader.Unanswered != told {
		t.Errorf("%d cycles without an answer, but %d late, %d lost and %d left out", leader.Unanswered, leader.DiscardedLate, leader.Lost, leader.LeftOut)
	}
}

// losing loses a share of the packets, and notes the leader's cycles in which it does.
func losing(l *Locked, r Random, share float64, lost *[]int, while func() bool) func() bool {
	return func() bool {
		if !while() || r.Float64() >= share {
			return false
		}
		*lost = append(*lost, len(l.Cycles))
		return true
	}
}

func TestEveryMissingAnswerOfALossyNetworkIsExplained(t *testing.T) {
	const cycles = 6000
	for _, share := range []float64{0.01, 0.05} {
		for _, period := range []int{32, 64, 256} {
			for _, periods := range []int{1, 2} {
				t.Run(fmt.Sprintf("%v, period %d, answers after %d", share, period, periods), func(t *testing.T) {
					r := NewRandom(uint64(period))
					var lostThere, lostBack []int
					l := &Locked{PeriodFrames: period, AnswerPeriods: periods, Source: lockedNoise}
					during := func() bool { return len(l.Cycles) > startUp && len(l.Cycles) < cycles-50 }
					f := &Follower{LoseThere: losing(l, r, share, &lostThere, during), LoseBack: losing(l, r, share, &lostBack, during)}
					l.Followers = []*Follower{f}
					runLocked(t, l, cycles)
					faded := afterMissing(l, 0)
					missing := wantAnswers(t, l, 0, func(n int) bool {
						at, _ := slices.BinarySearch(lostThere, n-periods-(63+period)/period)
						madeUp := at < len(lostThere) && lostThere[at] <= n-periods // and its answer in time
						return madeUp || faded(n)
					})
					leader, follower := f.Counters()
					wantCounted(t, "lost there", follower.Received.Lost, uint64(len(lostThere)))
					wantCounted(t, "lost back", leader.Received.Lost, uint64(len(lostBack)))
					wantCounted(t, "unanswered", leader.Received.Unanswered, uint64(len(missing)))
					if periods == 1 {
						wantExplained(t, leader.Received)
					}
					if follower.Received.Takeovers == 0 {
						wantCounted(t, "made up", follower.Received.MadeUp, uint64(len(lostThere)))
					}
				})
			}
		}
	}
}

// Both graphs count the same: each cycle of the leader runs once, in order, however its packets
// are lost, parts of it or all.
func TestEveryCycleOfTheLeaderRunsOnceAlthoughPacketsAreLost(t *testing.T) {
	for _, share := range []float64{0.01, 0.05} {
		for _, packets := range []int{1, 2, 5} {
			t.Run(fmt.Sprintf("%v, %d packets", share, packets), func(t *testing.T) {
				const period, cycles = 240, 4000
				r := NewRandom(uint64(packets))
				var lostThere, lostBack []int
				l := &Locked{PeriodFrames: period, PacketFrames: period / packets, Source: lockedTone}
				during := func() bool {
					n := len(l.Cycles)
					_, before := slices.BinarySearch(lostThere, n-1)
					_, further := slices.BinarySearch(lostThere, n-2)
					return n > startUp && n < cycles-50 && !(before && further) // three are the timer's
				}
				f := &Follower{LoseThere: losing(l, r, share, &lostThere, during), LoseBack: losing(l, r, share, &lostBack, during)}
				l.Followers = []*Follower{f}
				runLocked(t, l, cycles)
				leader, follower := f.Counters()
				wantCounted(t, "lost there", follower.Received.Lost, uint64(len(lostThere)))
				wantCounted(t, "lost back", leader.Received.Lost, uint64(len(lostBack)))
				wantCounted(t, "made up", follower.Received.MadeUp, uint64(len(slices.Compact(slices.Clone(lostThere)))))
				var media []int64
				for _, c := range f.Starts() {
					if c.Media != math.MinInt64 {
						media = append(media, c.Media)
					}
				}
				for i := range media[1:] {
					if media[i+1] != media[i]+period {
						t.Fatalf("the cycle at %d follows the one at %d", media[i+1], media[i])
					}
				}
				if len(media) < cycles-3 || follower.Received.Takeovers > 0 {
					t.Errorf("%d cycles ran of %d; %d takeovers", len(media), cycles, follower.Received.Takeovers)
				}
				wantNoClick(t, "follower", played(f, 2*startUp))
			})
		}
	}
}

func wantCounted(t *testing.T, what string, got, want uint64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: counted %d, there were %d", what, got, want)
	}
}

// heard is what the leader plays of a follower from a cycle on.
func heard(l *Locked, follower, from int) (sound []float32) {
	for _, c := range l.Cycles[from:] {
		sound = append(sound, c.Out[follower]...)
	}
	return sound
}

func played(f *Follower, from int) (sound []float32) {
	for _, c := range f.Starts()[from:] {
		sound = append(sound, c.Out...)
	}
	return sound
}

const audibleClick = -50 // dBFS

func wantNoClick(t *testing.T, where string, sound []float32) {
	t.Helper()
	if level := signal.LoudestClick(sound, lockedRate); level > audibleClick {
		t.Errorf("%s: a click of %.1f dBFS", where, level)
	}
}

// The answers go on, whatever the leader's graph lost, and each is that of its cycle.
func TestALeadersLostTimeLosesNoAnswer(t *testing.T) {
	for _, lost := range []int{1, 5, 63, 64, 65, 100, 500, 1000, 20000, 48000, 100000} {
		for _, period := range []int{32, 64, 256} {
			for _, periods := range []int{1, 2} {
				t.Run(fmt.Sprintf("%d frames, period %d, answers after %d", lost, period, periods), func(t *testing.T) {
					const at = 300
					f := &Follower{}
					l := &Locked{PeriodFrames: period, AnswerPeriods: periods, Source: lockedTone, Followers: []*Follower{f},
						LostFrames: func(cycle int) int {
							if cycle == at {
								return lost
							}
							return 0
						}}
					runLocked(t, l, 2*at)
					faded := at + periods + 1 + 64/period
					if missing := wantAnswers(t, l, 0, func(n int) bool { return n >= at && n <= faded }); len(missing) > 0 {
						t.Errorf("cycles %v have no answer", missing)
					}
					leader, follower := f.Counters()
					wantCounted(t, "left out", leader.Received.LeftOut, 0)
					wantCounted(t, "lost", follower.Received.Lost, 0)
					if lost < 2*period {
						wantCounted(t, "made up", follower.Received.MadeUp, 0)
					}
					wantNoClick(t, "leader", heard(l, 0, startUp))
					wantNoClick(t, "follower", played(f, 2*startUp))
				})
			}
		}
	}
}

// asleep is a machine that stands once.
func asleep(fromNs, forNs float64) func(float64) float64 {
	return func(ns float64) float64 {
		if ns >= fromNs && ns < fromNs+forNs {
			return fromNs + forNs
		}
		return ns
	}
}

func TestAFollowersStallEndsWithIt(t *testing.T) {
	for _, period := range []int{32, 64, 256} {
		periodNs := float64(period) * 1e9 / lockedRate
		for _, stall := range []float64{0.5, 1.5, 2.5, 4, 7, 9, 30, 0.9 * lockedRate / float64(period)} {
			t.Run(fmt.Sprintf("%v periods of %d", stall, period), func(t *testing.T) {
				f := &Follower{AsleepNs: asleep(1e9+100.3*periodNs, stall*periodNs)}
				l := &Locked{PeriodFrames: period, Source: lockedTone, Followers: []*Follower{f}}
				end := 100 + int(stall) + 20
				runLocked(t, l, end+500)
				missing := wantAnswers(t, l, 0, afterMissing(l, 0))
				leader, follower := f.Counters()
				t.Logf("%d missing; follower %+v", len(missing), follower.Received)
				if n := len(missing); n > 0 && (missing[0] < 100 || missing[n-1] > end) {
					t.Errorf("cycles %v have no answer", missing)
				}
				wantExplained(t, leader.Received)
				wantNoClick(t, "leader", heard(l, 0, startUp))
				wantNoClick(t, "follower", played(f, 2*startUp))
			})
		}
	}
}

// Each answer is late, for longer than anything is concealed: each is counted, and the first
// that is in time is heard.
func TestAGraphThatIsTooSlowForSecondsIsCountedAllTheTime(t *testing.T) {
	for _, period := range []int{32, 64, 256} {
		periodNs := float64(period) * 1e9 / lockedRate
		slow, end := 200, 200+4*lockedRate/period
		l := &Locked{PeriodFrames: period, Source: lockedTone}
		f := &Follower{GraphNs: func() float64 {
			if n := len(l.Cycles); n >= slow && n < end {
				return 1.5 * periodNs
			}
			return lockedDelayNs
		}}
		l.Followers = []*Follower{f}
		runLocked(t, l, end+200)
		missing := wantAnswers(t, l, 0, afterMissing(l, 0))
		leader, _ := f.Counters()
		if n := len(missing); n < end-slow-2 || missing[n-1] > end+20 || leader.Received.Unanswered != uint64(n) {
			t.Errorf("period %d: too slow from cycle %d to %d; %d answers missing: %v; %d counted", period, slow, end, n, missing, leader.Received.Unanswered)
		}
		wantExplained(t, leader.Received)
		wantNoClick(t, "leader", heard(l, 0, startUp))
	}
}

func TestPacketsThatStopForASecondAreBridgedByTheTimerAndNotHeard(t *testing.T) {
	for _, period := range []int{32, 64, 256} {
		for name, delayNs := range map[string]float64{"at the same pace": lockedDelayNs, "after another delay": 250e3} {
			t.Run(fmt.Sprintf("period %d, %s", period, name), func(t *testing.T) {
				periodNs := float64(period) * 1e9 / lockedRate
				const from = 200
				until := from + lockedRate/period
				l := &Locked{PeriodFrames: period, Source: lockedTone}
				stopped := func() bool { return len(l.Cycles) >= from && len(l.Cycles) < until }
				f := &Follower{LoseThere: stopped, ThereNs: func() float64 {
					if len(l.Cycles) >= until {
						return delayNs
					}
					return lockedDelayNs
				}}
				l.Followers = []*Follower{f}
				runLocked(t, l, until+200)

				sentNs := func(cycle int) float64 { return 1e9 + float64(cycle)*periodNs }
				lastNs := sentNs(from-1) + lockedDelayNs
				returnNs := sentNs(until) + delayNs
				var alone []FollowerCycle
				back := -1
				for i, c := range f.Starts() {
					switch {
					case c.Ns > lastNs+1 && c.Ns < returnNs-1:
						alone = append(alone, c)
					case back < 0 && c.Ns >= returnNs-1:
						back = i
					}
				}
				if wait := alone[0].Ns - lastNs; math.Abs(wait-3*periodNs) > 2 {
					t.Errorf("the timer took over after %.3f periods", wait/periodNs)
				}
				for i, c := range alone {
					if want := alone[0].Ns + float64(i)*periodNs; math.Abs(c.Ns-want) > 2 {
						t.Fatalf("cycle %d of the timer %.0f ns from its time", i, c.Ns-want)
					}
				}
				// A cycle of the timer may be under way.
				if late := f.Starts()[back].Ns - returnNs; late > lockedDelayNs+1 {
					t.Errorf("the first packet is used %.0f ns after it came", late)
				}
				leader, follower := f.Counters()
				wantCounted(t, "takeovers", follower.Received.Takeovers, 1)
				if missing := wantAnswers(t, l, 0, afterMissing(l, 0)); missing[0] != from+1 || missing[len(missing)-1] > until+1 {
					t.Errorf("answers are missing from %d to %d, packets from %d to %d", missing[0], missing[len(missing)-1], from, until-1)
				}
				t.Logf("leader %+v", leader.Received)
				wantNoClick(t, "leader", heard(l, 0, startUp))
				wantNoClick(t, "follower", played(f, 2*startUp))
			})
		}
	}
}

// What the one follower's network does is nothing to the other.
func TestTwoFollowersOfOneLeaderKnowNothingOfEachOther(t *testing.T) {
	r := NewRandom(1)
	bad := &Follower{LoseThere: func() bool { return r.Float64() < 0.2 }, BackNs: func() float64 { return r.ExpFloat64() * 500e3 },
		AsleepNs: asleep(1.2e9, 50e6)}
	good := &Follower{}
	l := &Locked{PeriodFrames: 64, Source: lockedNoise, Followers: []*Follower{bad, good}}
	runLocked(t, l, 3000)
	if missing := wantAnswers(t, l, 1, nil); len(missing) > 0 {
		t.Errorf("cycles %v have no answer", missing)
	}
	if missing := wantAnswers(t, l, 0, afterMissing(l, 0)); len(missing) < 100 {
		t.Errorf("only %d answers of the other are missing", len(missing))
	}
}

// Packets of one period that overtake each other and come twice cost nothing.
func TestReorderedAndRepeatedPacketsOfACycleAreNothing(t *testing.T) {
	for _, periods := range []int{1, 2} {
		r := NewRandom(7)
		f := &Follower{ThereNs: func() float64 { return 20e3 + 200e3*r.Float64() }, BackNs: func() float64 { return 20e3 + 200e3*r.Float64() }}
		l := &Locked{PeriodFrames: 256, PacketFrames: 64, AnswerPeriods: periods, Copies: 2, Source: lockedNoise, Followers: []*Follower{f}}
		runLocked(t, l, 2000)
		if missing := wantAnswers(t, l, 0, nil); len(missing) > 0 {
			t.Errorf("cycles %v have no answer", missing)
		}
		_, follower := f.Counters()
		wantCounted(t, "made up", follower.Received.MadeUp, 0)
		if follower.Received.Reordered == 0 {
			t.Error("nothing was reordered")
		}
	}
}

// As jackd2's dummy driver: only the cycles' times tell what was lost, and when it is known
// better some of it is taken back.
func TestALeaderThatReanchorsLosesNoAnswer(t *testing.T) {
	for _, period := range []int{32, 64, 256} {
		for _, periods := range []int{1, 2} {
			t.Run(fmt.Sprintf("period %d, answers after %d", period, periods), func(t *testing.T) {
				r := NewRandom(uint64(period))
				lateNs := 0.0
				f := &Follower{}
				l := &Locked{PeriodFrames: period, AnswerPeriods: periods, Source: lockedTone, Followers: []*Follower{f},
					StandsNs: func(cycle int) float64 {
						if cycle < lockedRate/period || cycle%(lockedRate/period/2) != 0 {
							return 0
						}
						lateNs = 150e3
						return (1.2 + 5*r.Float64()) * float64(period) / lockedRate * 1e9
					},
					WakeNs: func() float64 {
						lateNs *= 0.97
						return lateNs
					}}
				runLocked(t, l, 5*lockedRate/period)
				missing := wantAnswers(t, l, 0, func(int) bool { return true })
				leader, follower := f.Counters()
				back := false // timestamps went back once
				starts := f.Starts()
				for i := range starts[1:] {
					back = back || starts[i].Media > starts[i+1].Media && starts[i].Media-starts[i+1].Media < 100
				}
				if len(missing) > 0 || follower.Received.Lost > 0 || leader.Received.LeftOut > 0 || !back && period < 256 {
					t.Errorf("cycles %v have no answer, %d left out; timestamps went back: %v", missing, leader.Received.LeftOut, back)
				}
				wantNoClick(t, "leader", heard(l, 0, startUp))
				wantNoClick(t, "follower", played(f, 2*startUp))
			})
		}
	}
}

// Everything is late by chance: cycles run in order, each once, and what is missing is explained.
func TestAnUneasyNetworkIsExplained(t *testing.T) {
	for _, period := range []int{32, 64, 256} {
		r := NewRandom(uint64(period))
		periodNs := float64(period) / lockedRate * 1e9
		delay := r.Pareto(20e3, 1.2, 2*periodNs)
		f := &Follower{ThereNs: delay, BackNs: delay, GraphNs: r.Pareto(30e3, 1.5, 2*periodNs)}
		l := &Locked{PeriodFrames: period, Source: lockedNoise, WakeNs: r.Wake(10e3, 20e3), Followers: []*Follower{f}}
		runLocked(t, l, 5000)
		for range 20 { // what is on its way comes
			f.ThereNs, f.BackNs, f.GraphNs = nil, nil, nil
			runLocked(t, l, 1)
		}
		missing := wantAnswers(t, l, 0, func(n int) bool { return true })
		leader, follower := f.Counters()
		if len(missing) < 10 || follower.Received.MadeUp == 0 {
			t.Errorf("period %d: %d answers missing, %d cycles made up: an easy network", period, len(missing), follower.Received.MadeUp)
		}
		wantExplained(t, leader.Received)
	}
}

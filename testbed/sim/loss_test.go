package sim

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
)

const (
	lossFrom  = 15.0 // seconds: the envelopes are settled
	lossUntil = 22.0
	lossEnd   = 42.0 // 20 s after the loss
	lossPPM   = 30.0 // of the sender's clock
)

// losses are patterns of loss: whether the packet that is sent just now is lost.
var losses = map[string]func(l *Link, r Random) func() bool{
	"1 %":  func(_ *Link, r Random) func() bool { return func() bool { return r.Float64() < 0.01 } },
	"3 %":  func(_ *Link, r Random) func() bool { return func() bool { return r.Float64() < 0.03 } },
	"10 %": func(_ *Link, r Random) func() bool { return func() bool { return r.Float64() < 0.10 } },
	"3 of 97": func(*Link, Random) func() bool {
		n := 0
		return func() bool { n++; return n%97 < 3 }
	},
	"bursts": func(_ *Link, r Random) func() bool {
		left := 0
		return func() bool {
			if left == 0 && r.Float64() < 0.01 {
				left = 1 + r.IntN(20)
			}
			left = max(0, left-1)
			return left > 0
		}
	},
	"every first": func(l *Link, _ Random) func() bool { return func() bool { return l.nth == 0 && l.of > 1 } },
	"some firsts": func(l *Link, r Random) func() bool { return func() bool { return l.nth == 0 && r.Float64() < 0.2 } },
	"every last":  func(l *Link, _ Random) func() bool { return func() bool { return l.nth == l.of-1 && l.of > 1 } },
	"some lasts": func(l *Link, r Random) func() bool {
		return func() bool { return l.nth == l.of-1 && r.Float64() < 0.2 }
	},
	"a single one": func(l *Link, _ Random) func() bool {
		done := false
		return func() bool {
			if l.nth > 0 || done {
				return false
			}
			done = true
			return true
		}
	},
	"every 2nd": every(2), "every 3rd": every(3), "every 4th": every(4), "every 5th": every(5), "every 7th": every(7), "every 16th": every(16),
	"whole periods": func(l *Link, r Random) func() bool {
		lost := false
		return func() bool {
			if l.nth == 0 {
				lost = r.Float64() < 0.05
			}
			return lost
		}
	},
}

var allLosses = slices.Sorted(maps.Keys(losses))

func every(n int) func(*Link, Random) func() bool {
	return func(*Link, Random) func() bool {
		sent := 0
		return func() bool { sent++; return sent%n == 0 }
	}
}

// while loses packets in the time of loss only.
func (l *Link) while(lose func() bool) func() bool {
	return func() bool {
		at := l.sent.startNs * 1e-9
		return at > lossFrom && at < lossUntil && lose()
	}
}

// recording is a run.
type recording struct {
	states []State
	target float64
	waits  float64 // frames that a sound waits until its packet is full
}

func record(t *testing.T, l *Link) (r recording) {
	t.Helper()
	if err := l.Run(lossEnd, func(s State) { r.states = append(r.states, s) }); err != nil {
		t.Fatal(err)
	}
	r.target = l.ServoStatus().TargetFrames
	r.waits = max(0, float64(l.PacketFrames-l.Sender.PeriodFrames))
	return r
}

// holds fails the test unless a run is, from a second on, as another is.
func (was recording) holds(t *testing.T, from float64, now recording) {
	t.Helper()
	frames, ppm, seeks := 0.0, 0.0, 0
	for i, s := range now.states {
		if s.Seconds < from {
			continue
		}
		if s.Seek != was.states[i].Seek {
			seeks++
		}
		frames = max(frames, math.Abs(s.TrueDelay-was.states[i].TrueDelay))
		ppm = max(ppm, math.Abs(s.Cycle.Ratio-was.states[i].Cycle.Ratio)*1e6)
	}
	t.Logf("%.2f frames, %.1f ppm", frames, ppm)
	if frames > 1 || ppm > 20 || seeks > 0 || now.target != was.target {
		t.Errorf("the latency moved by %.2f frames, the pitch by %.0f ppm; %d seeks, the target by %.0f", frames, ppm, seeks, now.target-was.target)
	}
}

// right fails the test unless a run is where it should be before any loss, mostly: lost
// time is not noticed at once, and then worked off.
func (r recording) right(t *testing.T) {
	t.Helper()
	var frames, ppm []float64
	for _, s := range r.states {
		if s.Seconds > settled && s.Seconds < lossFrom {
			frames = append(frames, math.Abs(s.TrueDelay-r.target-r.waits))
			ppm = append(ppm, math.Abs((s.Cycle.Ratio-1)*1e6-lossPPM))
		}
	}
	slices.Sort(frames)
	slices.Sort(ppm)
	if f, p := frames[len(frames)*3/4], ppm[len(ppm)*3/4]; f > 4 || p > 40 {
		t.Errorf("before any loss the latency is %.2f frames off, the pitch %.0f ppm", f, p)
	}
}

var (
	someLosses = []string{"1 %", "3 %", "10 %", "bursts", "some firsts", "some lasts", "whole periods", "every 7th"}
	fewLosses  = []string{"3 %", "bursts", "some firsts", "whole periods"}
)

// eachLoss runs what link makes, with each loss and without any: all else is the same.
func eachLoss(t *testing.T, names []string, link func() *Link) {
	t.Helper()
	calm := record(t, link())
	calm.right(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			lossy := link()
			lossy.Lose = lossy.while(losses[name](lossy, NewRandom(7)))
			calm.holds(t, lossFrom, record(t, lossy))
		})
	}
}

// groupLink is a sender whose period fills several packets. said: it says its period.
func groupLink(periodFrames, packetFrames int, said bool) *Link {
	l := link(NewRandom(uint64(periodFrames)), lossPPM)
	l.Sender.PeriodFrames, l.PacketFrames = periodFrames, packetFrames
	l.Servo.LatencyFrames, l.Servo.Free = 2400, true // 50 ms
	if said {
		l.Servo.PeriodFrames = periodFrames
	}
	return l
}

var allPackets, somePackets = []int{1, 2, 3, 4, 5, 8, 16}, []int{1, 2, 5, 16}

func eachGroup(t *testing.T, packetsAPeriod []int, test func(t *testing.T, link func() *Link)) {
	t.Helper()
	for _, packets := range packetsAPeriod {
		for _, said := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d packets, said %v", packets, said), func(t *testing.T) {
				test(t, func() *Link { return groupLink(64*packets, 64, said) })
			})
		}
	}
}

func TestLossesMoveNeitherLatencyNorPitch(t *testing.T) {
	eachGroup(t, allPackets, func(t *testing.T, link func() *Link) { eachLoss(t, allLosses, link) })
}

// AES67's packets of 1 ms, and what fits into one where there are many channels.
func TestLossesOfPacketsThatDoNotFillAPeriodMoveNothing(t *testing.T) {
	for _, c := range []struct{ period, packet int }{{64, 48}, {128, 48}, {256, 48}, {1024, 48}, {1024, 240}, {1024, 192}, {32, 64}, {64, 192}, {441, 48}, {1000, 333}} {
		t.Run(fmt.Sprintf("packets of %d in periods of %d", c.packet, c.period), func(t *testing.T) {
			eachLoss(t, allLosses, func() *Link { return groupLink(c.period, c.packet, true) })
		})
	}
}

func TestLossesOfABlockOfPacketsOfSeveralSizesMoveNothing(t *testing.T) {
	for _, c := range []struct{ period, packet int }{{1024, 347}, {1024, 231}, {1152, 360}, {480, 347}} {
		t.Run(fmt.Sprintf("packets of %d in blocks of %d", c.packet, c.period), func(t *testing.T) {
			eachLoss(t, allLosses, func() *Link {
				l := groupLink(c.period, c.packet, false)
				l.WholePeriods = true
				return l
			})
		})
	}
}

// The packets of a period overtake each other.
func TestLossesAmongPacketsThatAreReorderedMoveNothing(t *testing.T) {
	eachGroup(t, somePackets, func(t *testing.T, link func() *Link) {
		eachLoss(t, allLosses, func() *Link {
			l, r := link(), NewRandom(99)
			l.SpreadNs = func() float64 { return 100e3 * r.Float64() }
			return l
		})
	})
}

func TestLossesOfWhatIsRepeatedMoveNothing(t *testing.T) {
	for _, repeats := range []stream.Repeats{{Copies: 1}, {Copies: 2}, {Copies: 1, DistanceFrames: 1}, {Copies: 1, DistanceFrames: 3}, {Copies: 2, DistanceFrames: 2}} {
		t.Run(fmt.Sprintf("%d copies, %d periods later", repeats.Copies, repeats.DistanceFrames), func(t *testing.T) {
			eachGroup(t, somePackets, func(t *testing.T, link func() *Link) {
				eachLoss(t, fewLosses, func() *Link {
					l := link()
					l.Repeats = stream.RepeatsOf(repeats.Copies, repeats.DistanceFrames, l.Sender.PeriodFrames)
					l.Servo.ExtraFrames = l.Repeats.SpanFrames()
					return l
				})
			})
		})
	}
}

// The packets around lost time are lost.
func TestLossesAroundLostTimeMoveNothing(t *testing.T) {
	eachGroup(t, somePackets, func(t *testing.T, link func() *Link) {
		eachLoss(t, allLosses, func() *Link {
			l, r := link(), NewRandom(3)
			periodNs := float64(l.Sender.PeriodFrames) / 48000e-9
			l.Sender.LostNs = func() float64 {
				if r.Float64() < periodNs*1e-9/2 { // every 2 s
					return (1 + 3*r.Float64()) * periodNs
				}
				return 0
			}
			return l
		})
	})
}

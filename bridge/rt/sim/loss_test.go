package sim

import (
	"fmt"
	"math"
	"testing"

	"archibald-bridge/proto"
)

const (
	lossFrom  = 20.0 // seconds: the lines are settled
	lossUntil = 30.0
	lossEnd   = 50.0 // 20 s after the loss
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

// held is how far a run was from what it was without loss.
type held struct {
	frames, ppm float64
	seeks       int
	target      float64 // by which the target was raised
}

// compare runs what make makes, with loss and without: all else is the same.
func compare(t *testing.T, lose func(*Link, Random) func() bool, make func() *Link) (h held) {
	t.Helper()
	var calm []State
	settledTarget := 0.0
	without := make()
	check(t, without.Run(lossEnd, func(s State) { calm = append(calm, s) }))
	settledTarget = without.ServoStatus().TargetFrames
	with, n := make(), 0
	with.Lose = with.while(lose(with, NewRandom(7)))
	check(t, with.Run(lossEnd, func(s State) {
		was := calm[n]
		n++
		if s.Seconds < lossFrom {
			return
		}
		if s.Seek != was.Seek {
			h.seeks++
		}
		h.frames = max(h.frames, math.Abs(s.TrueDelay-was.TrueDelay))
		h.ppm = max(h.ppm, math.Abs(s.Cycle.Ratio-was.Cycle.Ratio)*1e6)
	}))
	h.target = with.ServoStatus().TargetFrames - settledTarget
	return h
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holds fails the test if a loss moved latency or pitch.
func holds(t *testing.T, h held) {
	t.Helper()
	t.Logf("%.2f frames, %.1f ppm", h.frames, h.ppm)
	if h.frames > 1 || h.ppm > 20 || h.seeks > 0 || h.target != 0 {
		t.Errorf("the latency moved by %.2f frames, the pitch by %.0f ppm; %d seeks, the target by %.0f", h.frames, h.ppm, h.seeks, h.target)
	}
}

// burstLink is a sender whose period fills several packets. said: it says its period.
func burstLink(seed uint64, periodFrames, packetFrames int, said bool) *Link {
	l := link(NewRandom(seed), lossPPM)
	l.Sender.PeriodFrames, l.PacketFrames = periodFrames, packetFrames
	l.Servo.LatencyFrames, l.Servo.Free = 2400, true // 50 ms
	if said {
		l.Servo.PeriodFrames = periodFrames
	}
	return l
}

func eachLoss(t *testing.T, test func(t *testing.T, lose func(*Link, Random) func() bool)) {
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) { test(t, lose) })
	}
}

var saidOrNot = []bool{true, false}

func TestLossesMoveNeitherLatencyNorPitch(t *testing.T) {
	eachLoss(t, func(t *testing.T, lose func(*Link, Random) func() bool) {
		for _, packets := range []int{1, 2, 3, 4, 5, 8, 16} {
			for _, said := range saidOrNot {
				t.Run(fmt.Sprintf("%d packets, said %v", packets, said), func(t *testing.T) {
					holds(t, compare(t, lose, func() *Link { return burstLink(uint64(packets), 64*packets, 64, said) }))
				})
			}
		}
	})
}

// AES67's packets of 1 ms, and what fits into one where there are many channels.
func TestLossesOfPacketsThatDoNotFillAPeriodMoveNothing(t *testing.T) {
	eachLoss(t, func(t *testing.T, lose func(*Link, Random) func() bool) {
		for _, c := range []struct{ period, packet int }{{64, 48}, {128, 48}, {256, 48}, {1024, 48}, {1024, 240}, {1024, 192}, {32, 64}, {64, 192}, {441, 48}, {1000, 333}} {
			t.Run(fmt.Sprintf("packets of %d in periods of %d", c.packet, c.period), func(t *testing.T) {
				holds(t, compare(t, lose, func() *Link { return burstLink(uint64(c.period), c.period, c.packet, true) }))
			})
		}
	})
}

func TestLossesOfABlockOfPacketsOfSeveralSizesMoveNothing(t *testing.T) {
	eachLoss(t, func(t *testing.T, lose func(*Link, Random) func() bool) {
		for _, c := range []struct{ period, packet int }{{1024, 347}, {1024, 231}, {1152, 360}, {480, 347}} {
			t.Run(fmt.Sprintf("packets of %d in blocks of %d", c.packet, c.period), func(t *testing.T) {
				holds(t, compare(t, lose, func() *Link {
					l := burstLink(uint64(c.period), c.period, c.packet, false)
					l.WholePeriods = true
					return l
				}))
			})
		}
	})
}

// The packets of a period overtake each other.
func TestLossesAmongPacketsThatAreReorderedMoveNothing(t *testing.T) {
	eachLoss(t, func(t *testing.T, lose func(*Link, Random) func() bool) {
		for _, packets := range []int{1, 2, 4, 8, 16} {
			for _, said := range saidOrNot {
				t.Run(fmt.Sprintf("%d packets, said %v", packets, said), func(t *testing.T) {
					holds(t, compare(t, lose, func() *Link {
						l := burstLink(uint64(packets), 64*packets, 64, said)
						r := NewRandom(99)
						l.SpreadNs = func() float64 { return 100e3 * r.Float64() }
						return l
					}))
				})
			}
		}
	})
}

func TestLossesOfWhatIsRepeatedMoveNothing(t *testing.T) {
	eachLoss(t, func(t *testing.T, lose func(*Link, Random) func() bool) {
		for _, packets := range []int{1, 2, 4, 16} {
			for _, repeats := range []proto.Repeats{{Copies: 1}, {Copies: 2}, proto.RepeatsOf(1, 1, 64*packets), proto.RepeatsOf(1, 3, 64*packets), proto.RepeatsOf(2, 2, 64*packets)} {
				t.Run(fmt.Sprintf("%d packets, %+v", packets, repeats), func(t *testing.T) {
					holds(t, compare(t, lose, func() *Link {
						l := burstLink(uint64(packets), 64*packets, 64, true)
						l.Repeats, l.Servo.ExtraFrames = repeats, repeats.SpanFrames()
						return l
					}))
				})
			}
		}
	})
}

// The packets around lost time are lost.
func TestLossesAroundLostTimeMoveNothing(t *testing.T) {
	eachLoss(t, func(t *testing.T, lose func(*Link, Random) func() bool) {
		for _, packets := range []int{1, 2, 4, 16} {
			for _, said := range saidOrNot {
				t.Run(fmt.Sprintf("%d packets, said %v", packets, said), func(t *testing.T) {
					holds(t, compare(t, lose, func() *Link {
						l := burstLink(uint64(packets), 64*packets, 64, said)
						r := NewRandom(3)
						l.Sender.LostNs = func() float64 {
							if r.Float64() < float64(64*packets)/48000/2 { // every 2 s
								return (1 + 3*r.Float64()) * float64(64*packets) / 48000e-9
							}
							return 0
						}
						return l
					}))
				})
			}
		}
	})
}

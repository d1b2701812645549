package sim

import (
	"fmt"
	"math"
	"testing"
)

// The latency is chosen and held: losses must not raise it.
func TestLossesDoNotRaiseTheLatency(t *testing.T) {
	eachGroup(t, allPackets, func(t *testing.T, link func() *Link) {
		eachLoss(t, someLosses, func() *Link {
			l := link()
			l.Servo.LatencyFrames = 0
			return l
		})
	})
}

// Where the very first packets are lost nobody knows yet where periods begin.
func TestASessionThatBeginsInLossIsAsAnyOther(t *testing.T) {
	eachGroup(t, allPackets, func(t *testing.T, link func() *Link) {
		calm := record(t, link())
		for _, name := range append(someLosses, "a single one") {
			t.Run(name, func(t *testing.T) {
				lossy := link()
				lossy.Lose = losses[name](lossy, NewRandom(8))
				calm.holds(t, 4, record(t, lossy))
			})
		}
	})
}

// The rest of a packet group is held up on its way.
func TestGroupsThatAreTornMoveNothing(t *testing.T) {
	eachGroup(t, allPackets, func(t *testing.T, link func() *Link) {
		torn, r, heldUpNs := link(), NewRandom(12), 0.0
		periodNs := float64(torn.Sender.PeriodFrames) / 48000e-9
		torn.SpreadNs = func() float64 {
			if torn.nth == 0 {
				heldUpNs = 0
			}
			if torn.sent.startNs > lossFrom*1e9 && r.Float64() < 0.02 {
				heldUpNs += 1.2 * r.Float64() * periodNs
			}
			return heldUpNs + float64(torn.nth)*sendNs
		}
		record(t, link()).holds(t, lossFrom, record(t, torn))
	})
}

// The network stands still for some periods, and then all comes at once.
func TestPeriodsThatComeTogetherMoveNothing(t *testing.T) {
	eachGroup(t, allPackets, func(t *testing.T, link func() *Link) {
		calm := record(t, link())
		for _, lossy := range []bool{false, true} {
			t.Run(fmt.Sprintf("and are lost %v", lossy), func(t *testing.T) {
				stalled, r, untilNs := link(), NewRandom(13), 0.0
				network, periodNs := stalled.NetworkNs, float64(stalled.Sender.PeriodFrames)/48000e-9
				stalled.NetworkNs = func() float64 {
					nowNs := stalled.sent.callbackNs
					if nowNs > lossFrom*1e9 && nowNs < lossUntil*1e9 && nowNs > untilNs && r.Float64() < 0.02 {
						untilNs = nowNs + 3*r.Float64()*periodNs
					}
					return max(network(), untilNs-nowNs)
				}
				if lossy {
					stalled.Lose = stalled.while(losses["10 %"](stalled, NewRandom(7)))
				}
				calm.holds(t, lossFrom, record(t, stalled))
			})
		}
	})
}

func TestCopiesThatWereNotAgreedMoveNothing(t *testing.T) {
	for _, periods := range []int{0, 1, 3} {
		t.Run(fmt.Sprintf("%d periods later", periods), func(t *testing.T) {
			eachGroup(t, somePackets, func(t *testing.T, link func() *Link) {
				eachLoss(t, fewLosses, func() *Link {
					l := link()
					l.Repeats.Copies, l.Repeats.DistanceFrames, l.Unagreed = 1, periods*l.Sender.PeriodFrames, true
					return l
				})
			})
		})
	}
}

// A quantum may change at any cycle. The first group of a longer one has to come whole:
// nothing else tells it from several of the shorter.
func TestLossesWhileTheSendersPeriodChangesMoveNothing(t *testing.T) {
	for _, periods := range [][]int{{256, 1024}, {1024, 256}, {512, 64}, {64, 512}, {128, 192, 64, 1024}} {
		t.Run(fmt.Sprint(periods), func(t *testing.T) {
			changing := func() *Link {
				l := groupLink(periods[0], 64, true)
				l.Sender.LostNs = func() float64 { // before each cycle
					since := l.Sender.startNs*1e-9 - lossFrom
					l.Sender.PeriodFrames = periods[min(max(0, int(since/2)), len(periods)-1)]
					return 0
				}
				return l
			}
			calm := record(t, changing())
			for _, name := range someLosses {
				t.Run(name, func(t *testing.T) {
					lossy := changing()
					lose := lossy.while(losses[name](lossy, NewRandom(7)))
					lossy.Lose = func() bool { return lose() && math.Mod(lossy.sent.startNs*1e-9-lossFrom, 2) > 0.03 }
					calm.holds(t, lossFrom, record(t, lossy))
				})
			}
		})
	}
}

// As over a radio: some groups come later than the next should.
func TestLossesOnANetworkOfMuchJitterMoveNothing(t *testing.T) {
	eachGroup(t, allPackets, func(t *testing.T, link func() *Link) {
		eachLoss(t, someLosses, func() *Link {
			l := link()
			l.NetworkNs = NewRandom(14).Wake(20e3, 0.3*min(float64(l.Sender.PeriodFrames), 256)/48000e-9)
			return l
		})
	})
}

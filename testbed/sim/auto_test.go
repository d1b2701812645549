package sim

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/testbed/gate"
)

// uneven is a link on machines that are not quiet, at least for a time.
type uneven struct {
	name    string
	seconds float64
	link    func(t *testing.T, r Random) *Link
}

// during draws from one source in some times and from another in all others.
func during(l *Link, when func(seconds float64) bool, then, otherwise func() float64) func() float64 {
	return func() float64 {
		if when(l.Sender.startNs * 1e-9) {
			return then()
		}
		return otherwise()
	}
}

// sometimes draws from a source once in so many seconds of cycles of 64 frames; else it is 0.
func sometimes(r Random, seconds float64, draw func() float64) func() float64 {
	return func() float64 {
		if r.Float64() >= 64/48000.0/seconds {
			return 0
		}
		return draw()
	}
}

func between(r Random, leastNs, mostNs float64) func() float64 {
	return func() float64 { return leastNs + (mostNs-leastNs)*r.Float64() }
}

// inOrder makes what is drawn for cycles of 64 frames delay those after it, too, as a machine
// or a network does that stands still and then catches up.
func inOrder(draw func() float64) func() float64 {
	leftNs := 0.0
	return func() float64 {
		leftNs = max(draw(), leftNs-64e9/48000)
		return leftNs
	}
}

// apart is a quiet machine with two clocks.
func apart(r Random) *Link {
	l := link(r, 30)
	l.Servo.Free = true
	return l
}

func recorded(path string) func(*testing.T, Random) *Link {
	return func(t *testing.T, r Random) *Link {
		t.Helper()
		trace, err := ReadTrace("testdata/" + path)
		if err != nil {
			t.Fatal(err)
		}
		l := &Link{
			Sender:    Graph{RateHz: 48000, PeriodFrames: 256, PPM: Steady(30), WakeNs: trace.Replay(r.IntN(len(trace)))},
			Receiver:  Graph{RateHz: 48000, PeriodFrames: 256, WakeNs: trace.Replay(r.IntN(len(trace)))},
			NetworkNs: r.Wake(20e3, 10e3),
		}
		l.Servo.Free = true
		return l
	}
}

// busy makes a link worse at some times: wake-ups and packets are late, and servers lose time.
func busy(l *Link, r Random, when func(seconds float64) bool) *Link {
	never := func() float64 { return 0 }
	l.Sender.WakeNs = during(l, when, inOrder(Sum(l.Sender.WakeNs, r.Wake(0, 150e3), sometimes(r, 0.3, between(r, 0.2e6, 4e6)))), l.Sender.WakeNs)
	l.NetworkNs = during(l, when, inOrder(Sum(l.NetworkNs, r.Wake(0, 60e3), sometimes(r, 0.7, between(r, 0.2e6, 3e6)))), l.NetworkNs)
	l.Sender.LostNs = during(l, when, sometimes(r, 2, between(r, 1.4e6, 9e6)), never)
	l.Receiver.LostNs = during(l, when, sometimes(r, 2, between(r, 1.4e6, 9e6)), never)
	return l
}

func boots(seconds float64) bool     { return seconds < 41 }
func compiles(seconds float64) bool  { return math.Mod(seconds+20, 120) < 10 }
func afterFive(seconds float64) bool { return seconds > 301 }

var unevens = []uneven{
	{"calm", 600, func(_ *testing.T, r Random) *Link { return apart(r) }},
	{"calm, one clock", 600, func(_ *testing.T, r Random) *Link { return link(r, 0) }},
	{"recording, awake", 900, recorded("jackd-256-awake.txt")},
	{"recording, plain", 900, recorded("jackd-256-plain.txt")},
	{"recording, uneasy", 900, recorded("uneasy-256.txt")},
	{"a machine that boots for 40 s", 600, func(_ *testing.T, r Random) *Link { return busy(apart(r), r, boots) }},
	{"the same, one clock", 600, func(_ *testing.T, r Random) *Link { return busy(link(r, 0), r, boots) }},
	{"a compiler for 10 s every 2 minutes", 1800, func(_ *testing.T, r Random) *Link { return busy(apart(r), r, compiles) }},
	{"a light tail", 900, func(_ *testing.T, r Random) *Link {
		l := apart(r)
		l.NetworkNs = Sum(l.NetworkNs, r.Wake(0, 100e3))
		return l
	}},
	{"a heavy tail", 1800, func(_ *testing.T, r Random) *Link {
		l := apart(r)
		l.NetworkNs = inOrder(Sum(l.NetworkNs, r.Pareto(2e3, 1.2, 30e6)))
		return l
	}},
	{"servers that lose time every 4 s", 600, func(_ *testing.T, r Random) *Link {
		l := apart(r)
		l.Sender, l.Receiver = failing(l.Sender, r, 4), failing(l.Receiver, r, 4)
		return l
	}},
	{"stalls beyond the bound every 12 s", 600, func(_ *testing.T, r Random) *Link {
		l := apart(r)
		l.NetworkNs = inOrder(Sum(l.NetworkNs, sometimes(r, 12, between(r, 6e6, 12e6))))
		return l
	}},
	{"a network that becomes worse after 5 minutes", 1800, func(_ *testing.T, r Random) *Link {
		l := apart(r)
		l.NetworkNs = during(l, afterFive, inOrder(Sum(l.NetworkNs, sometimes(r, 5, between(r, 0.3e6, 2e6)))), l.NetworkNs)
		return l
	}},
}

// unevenRun is a run, as its listener has it.
type unevenRun struct {
	gaps, lateGaps int     // all, and those of the second half; dropouts within 0.1 s are one
	target, most   float64 // frames at the end, and the most there was
	least          int     // that any target is
	pitch          float64 // ppm, the most that it was off from the tenth second on
	changes        []clock.MarginChange
}

// play runs a link with a latency in frames, 0: auto.
func play(t *testing.T, u uneven, seed uint64, latencyFrames int) (p unevenRun) {
	t.Helper()
	l := u.link(t, NewRandom(seed))
	l.Servo.LatencyFrames, l.Servo.GapsPerHour = latencyFrames, usualGapsPerHour
	ppm, looks, dropouts, gapAt := l.Sender.PPM(0), 0, uint64(0), math.Inf(-1)
	if err := l.Run(u.seconds, func(s State) {
		if s.Cycle.Playing && s.Seconds > settled {
			p.pitch = max(p.pitch, math.Abs((s.Cycle.Ratio-1)*1e6-ppm))
		}
		if n := l.Engine().Counters().Received.Dropouts; n != dropouts {
			dropouts = n
			if s.Seconds-gapAt > 0.1 {
				gapAt = s.Seconds
				p.gaps++
				if s.Seconds > u.seconds/2 {
					p.lateGaps++
				}
			}
		}
		if looks++; looks%50 == 0 && s.Cycle.Playing {
			p.most = max(p.most, l.ServoStatus().TargetFrames)
		}
	}); err != nil {
		t.Fatal(err)
	}
	status := l.ServoStatus()
	p.target, p.least, p.changes = status.TargetFrames, status.LeastFrames, l.servo.MarginChanges()
	return p
}

// What auto chooses is at most 1.5 times the best fixed latency of the same run, which is the
// smallest one with no more gaps than auto had. And in the second half of the run there are
// no more gaps than raise nothing, nine in each ten minutes, besides those that no margin
// within the bound avoids.
func TestAutoEndsNearTheBestFixedLatency(t *testing.T) {
	for _, u := range unevens {
		t.Run(u.name, func(t *testing.T) {
			t.Parallel()
			for seed := range gate.Soak(uint64(1), 4) {
				auto := play(t, u, seed, 0)
				t.Logf("seed %d: %+v", seed, auto)
				if better := int(auto.target / 1.5); better > auto.least {
					if fixed := play(t, u, seed, better); fixed.gaps <= auto.gaps {
						t.Errorf("seed %d: auto ended at %.0f frames with %d gaps; a fixed latency of %d had %d", seed, auto.target, auto.gaps, better, fixed.gaps)
					}
				}
				allowed := 9 * int(math.Ceil(u.seconds/2/600))
				if auto.lateGaps <= allowed {
					continue
				}
				bound := play(t, u, seed, auto.least+4*max(64, 256*(auto.least/256)))
				if auto.lateGaps-bound.lateGaps > allowed {
					t.Errorf("seed %d: %d gaps in the second half, %d at the bound; at most %d more are allowed", seed, auto.lateGaps, bound.lateGaps, allowed)
				}
			}
		})
	}
}

// What is heard of another margin is the gap that it is for, and nothing else: the pitch
// stays within 0.1 cents where no server loses time.
func TestAutoDoesNotBendThePitch(t *testing.T) {
	for _, u := range unevens {
		if !slices.Contains([]string{"a heavy tail", "recording, plain", "a network that becomes worse after 5 minutes"}, u.name) {
			continue
		}
		if auto := play(t, u, 1, 0); auto.pitch > tenthOfACent || len(auto.changes) == 0 {
			t.Errorf("%s: the pitch was %.1f ppm off, changes %+v", u.name, auto.pitch, auto.changes)
		}
	}
}

// TestTableOfAuto writes the table of docs/decisions/0018-auto.md with -update: it takes some
// minutes. Without, it holds that the table has each scenario.
func TestTableOfAuto(t *testing.T) {
	const path, begin, end = "../../docs/decisions/0018-auto.md", "<!-- table: go test ./testbed/sim -run TableOfAuto -update -->\n", "<!-- end of table -->"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", path)
	}
	if !*update {
		for _, u := range unevens {
			if !strings.Contains(table, "\n| "+u.name+" | ") {
				t.Errorf("no row of %q", u.name)
			}
		}
		return
	}
	table = "| scenario | auto at the end (the most) | its gaps (second half) | best fixed with no more gaps | times | gaps with auto's latency fixed |\n|---|---|---|---|---|---|\n"
	for _, u := range unevens {
		auto := play(t, u, 0, 0)
		low, high := auto.least-1, int(math.Ceil(auto.target)) // low has too many gaps, high not
		if play(t, u, 0, auto.least).gaps <= auto.gaps {
			high = auto.least
		}
		for high-low > 1 {
			if middle := (low + high) / 2; play(t, u, 0, middle).gaps <= auto.gaps {
				high = middle
			} else {
				low = middle
			}
		}
		same := play(t, u, 0, int(auto.target))
		table += fmt.Sprintf("| %s | %.0f (%.0f) | %d (%d) | %d | %.2f | %d (%d) |\n", u.name, auto.target, auto.most, auto.gaps, auto.lateGaps, high, auto.target/float64(high), same.gaps, same.lateGaps)
	}
	if err := os.WriteFile(path, []byte(before+begin+table+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A receiver's machine that stands still for 1 to 4 ms and loses no time takes no packet late:
// its cycles, which wait as long, need them no earlier.
func TestAReceiverThatStandsStillRaisesNothing(t *testing.T) {
	for seed := range uint64(4) {
		r := NewRandom(seed)
		l := apart(r)
		untilNs, nextNs, latestNs := 0.0, 30e9, 0.0
		standing := func(calm func() float64, nowNs func() float64) func() float64 {
			return func() float64 {
				if now := nowNs(); now > nextNs {
					untilNs, nextNs = now+between(r, 1e6, 4e6)(), now+r.ExpFloat64()*4e9
				}
				return max(calm(), untilNs-nowNs())
			}
		}
		l.Receiver.WakeNs = standing(l.Receiver.WakeNs, func() float64 { return l.Receiver.startNs })
		network := standing(l.NetworkNs, func() float64 { return l.sent.callbackNs })
		l.NetworkNs = func() float64 {
			ns := network()
			latestNs = max(latestNs, ns)
			return ns
		}
		o := run(t, l, 600)
		if o.status.TargetFrames > 88 || o.counters.Dropouts > 2 || latestNs < 3e6 {
			t.Errorf("seed %d: target %.0f frames, %d dropouts, packets late by up to %.1f ms", seed, o.status.TargetFrames, o.counters.Dropouts, latestNs/1e6)
		}
	}
}

package sim

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"archibald-bridge/bridge/stream"
)

var update = flag.Bool("update", false, "write the golden decisions instead of comparing with them")

// goldenLinks are links on which clock recovery has to decide everything that it can
// decide: each state is entered and left, for each reason there is.
func goldenLinks(t *testing.T) map[string]func() *Link {
	recorded := func(path string, ppm float64) func() *Link {
		trace, err := ReadTrace("testdata/" + path)
		if err != nil {
			t.Fatal(err)
		}
		return func() *Link {
			r := NewRandom(41)
			return &Link{
				Sender:    Graph{RateHz: 48000, PeriodFrames: 256, PPM: Steady(ppm), WakeNs: trace.Replay(0)},
				Receiver:  Graph{RateHz: 48000, PeriodFrames: 256, WakeNs: trace.Replay(len(trace) / 2)},
				NetworkNs: Sum(r.Wake(30e3, 20e3), r.Pareto(1e3, 1.2, 30e6)),
			}
		}
	}
	return map[string]func() *Link{
		"recording, awake":                recorded("jackd-256-awake.txt", 100),
		"recording, plain":                recorded("jackd-256-plain.txt", -20),
		"recording, uneasy, one clock":    recorded("uneasy-256.txt", 0),
		"recording, uneasy, two clocks":   recorded("uneasy-256.txt", 35),
		"one clock":                       func() *Link { return link(NewRandom(42), 0) },
		"one clock, free":                 func() *Link { l := link(NewRandom(42), 0); l.Servo.Free = true; return l },
		"two clocks, 500 ppm":             func() *Link { return link(NewRandom(43), 500) },
		"two clocks, 2 ppm":               func() *Link { return link(NewRandom(43), 2) },
		"jitter known":                    func() *Link { l := link(NewRandom(44), -40); l.Servo.JitterFrames = 32; return l },
		"one clock, both lose time":       func() *Link { return bothLose(0) },
		"two clocks, both lose time":      func() *Link { return bothLose(5) },
		"a clock that parts and returns":  partsAndReturns,
		"small steps of the receiver":     func() *Link { return smallSteps(func(l *Link) *Graph { return &l.Receiver }) },
		"small steps of the sender":       func() *Link { return smallSteps(func(l *Link) *Graph { return &l.Sender }) },
		"a sender that restarts":          restarts,
		"a network that becomes worse":    becomesWorse,
		"delays in a sawtooth":            sawtooth,
		"control that stalls":             controlStalls,
		"four packets a period, lossy":    func() *Link { return lossyGroups(true) },
		"four packets a period, not said": func() *Link { return lossyGroups(false) },
		"a period that changes":           periodChanges,
		"a period of the receiver that changes": func() *Link {
			l := link(NewRandom(55), 10)
			l.Receiver.LostNs = func() float64 {
				if l.Receiver.startNs > 30e9 {
					l.Receiver.PeriodFrames = 256
				}
				return 0
			}
			return l
		},
	}
}

func bothLose(ppm float64) *Link {
	r := NewRandom(45)
	l := &Link{Sender: loses(r, 10, ppm), Receiver: loses(r, 10, 0), NetworkNs: r.Wake(30e3, 20e3)}
	l.Servo.LatencyFrames = 4800
	return l
}

func partsAndReturns() *Link {
	l := link(NewRandom(46), 0)
	l.Sender.PPM = func(seconds float64) float64 {
		if seconds > 20 && seconds < 30 {
			return 40
		}
		return 0
	}
	return l
}

func smallSteps(of func(*Link) *Graph) *Link {
	l := link(NewRandom(47), 30)
	l.Servo.LatencyFrames = 112
	cycles := 0
	of(l).LostNs = func() float64 {
		if cycles++; cycles%7500 == 0 {
			return 0.1e6 * float64(1+cycles/7500)
		}
		return 0
	}
	return l
}

func restarts() *Link {
	l := link(NewRandom(48), 50)
	sent := 0
	l.Restarts = func() bool { sent++; return sent%15000 == 0 }
	return l
}

func becomesWorse() *Link {
	r := NewRandom(49)
	l := link(r, 0)
	calm := l.NetworkNs
	wild := Sum(calm, r.Pareto(50e3, 2.5, 4e6))
	l.NetworkNs = func() float64 {
		if l.sent.startNs < 40e9 {
			return calm()
		}
		return wild()
	}
	return l
}

func sawtooth() *Link {
	l := link(NewRandom(50), 0)
	l.Servo.LatencyFrames = 4800
	l.NetworkNs = func() float64 { return 9e6 * (1 - math.Mod(l.sent.startNs*1e-9, 4)/4) }
	return l
}

func controlStalls() *Link {
	l := link(NewRandom(51), 100)
	l.ControlStalls = func(seconds float64) bool { return seconds > 5 && math.Mod(seconds, 7) < 1.2 }
	return l
}

func lossyGroups(said bool) *Link {
	l := groupLink(256, 64, said)
	r := NewRandom(52)
	l.Lose = func() bool { return r.Float64() < 0.1 }
	l.Sender.LostNs = func() float64 {
		if r.Float64() < 256/48000.0/20 {
			return 4.2e6 + r.ExpFloat64()*8e6
		}
		return 0
	}
	return l
}

func periodChanges() *Link {
	l := groupLink(128, 64, true)
	l.Repeats = stream.Repeats{Copies: 1, DistanceFrames: 256}
	periods := []int{128, 192, 64, 1024}
	l.Sender.LostNs = func() float64 {
		l.Sender.PeriodFrames = periods[min(int(l.Sender.startNs*1e-9/20), len(periods)-1)]
		return 0
	}
	return l
}

// glide is the way of a target from one whole frame to another, in fractions of which no line
// tells. It stays between the two, and moves as slowly as a pitch may that is not heard.
type glide struct {
	seconds, target float64 // of the last look
	from            float64 // the last whole target
	least, most     float64 // of the fractions since
	seek            bool    // since the last look: that may jump
}

func (g *glide) look(t *testing.T, s State, target float64) {
	t.Helper()
	const ratio, rounding = 50e-6, 0.1 // of the pitch; and frames
	whole, was := target == math.Trunc(target), g.target == math.Trunc(g.target)
	if way := 48000 * ratio * (s.Seconds - g.seconds); !(whole && was) && !g.seek && math.Abs(target-g.target) > way+rounding {
		t.Errorf("%.3f s: the target went from %.3f to %.3f in %.2f s", s.Seconds, g.target, target, s.Seconds-g.seconds)
	}
	switch {
	case !whole && was:
		g.least, g.most = target, target
	case !whole:
		g.least, g.most = min(g.least, target), max(g.most, target)
	case !was && (g.least < min(g.from, target) || g.most > max(g.from, target)):
		t.Errorf("%.3f s: the target was %.3f to %.3f on its way from %.0f to %.0f", s.Seconds, g.least, g.most, g.from, target)
	}
	if whole {
		g.from = target
	}
	g.seconds, g.target, g.seek = s.Seconds, target, false
}

// decisions plays a link for 90 seconds and returns what was decided, and a hash of
// every decision to the last bit.
func decisions(t *testing.T, l *Link) (lines []string, hash uint64) {
	t.Helper()
	l.Servo.GapsPerHour = usualGapsPerHour
	all := fnv.New64a()
	looks, locked, target := 0, false, 0.0
	var way glide
	if err := l.Run(90, func(s State) {
		d := s.Decision
		_, _ = fmt.Fprintf(all, "%x %v %d\n", math.Float64bits(d.Ratio), d.Seek, d.Offset)
		if d.Seek {
			way.seek = true
			lines = append(lines, fmt.Sprintf("%.3f s: seek to %d", s.Seconds, d.Offset))
		}
		if looks++; looks%10 != 0 {
			return
		}
		status := l.ServoStatus()
		way.look(t, s, status.TargetFrames)
		glides := status.TargetFrames != math.Trunc(status.TargetFrames)
		if status.RateLocked != locked || status.TargetFrames != target && !glides {
			locked, target = status.RateLocked, status.TargetFrames
			lines = append(lines, fmt.Sprintf("%.3f s: rate-locked %v target %.0f", s.Seconds, locked, target))
		}
		if looks%250 == 0 {
			lines = append(lines, fmt.Sprintf("%.3f s: ratio %.3f ppm delay %.3f", s.Seconds, (d.Ratio-1)*1e6, s.TrueDelay))
		}
	}); err != nil {
		t.Fatal(err)
	}
	return lines, all.Sum64()
}

// What clock recovery decided when these files were written, it decides still: the same
// seeks to a frame, the same ratios to a hundredth of a ppm. Where it is meant to decide
// otherwise, -update writes them again, and the change is seen in the review.
func TestDecisionsAreThoseOfTheGoldenFiles(t *testing.T) {
	for name, newLink := range goldenLinks(t) {
		t.Run(name, func(t *testing.T) {
			got, hash := decisions(t, newLink())
			t.Logf("all decisions: %016x", hash)
			path := filepath.Join("testdata", "decisions", strings.NewReplacer(", ", "-", " ", "-").Replace(name)+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimSpace(string(b)), "\n")
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || !sameDecision(got[i], want[i]) {
					t.Fatalf("%s:%d: decided %q; want %q", path, i+1, got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
				}
			}
		})
	}
}

// sameDecision compares word by word, and numbers to what another processor's rounding
// may make of them.
func sameDecision(a, b string) bool {
	words, others := strings.Fields(a), strings.Fields(b)
	if len(words) != len(others) {
		return false
	}
	for i := range words {
		x, errX := strconv.ParseFloat(words[i], 64)
		y, errY := strconv.ParseFloat(others[i], 64)
		if errX != nil || errY != nil {
			if words[i] != others[i] {
				return false
			}
		} else if math.Abs(x-y) > 0.01 {
			return false
		}
	}
	return true
}

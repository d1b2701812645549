package clock

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// states are those of all machines, by name.
type states map[string]string

// transition is one that a machine made.
type transition struct{ machine, from, to string }

func statesOf(s *Servo) states {
	tracker := []string{steady: "steady", resynchronising: "resynchronising", settling: "settling"}
	return states{
		"Playout": []string{waiting: "waiting", acquisition: "acquisition", seeking: "seeking", placed: "placed"}[s.state],
		"Rate":    []string{tracking: "tracking", candidate: "candidate", rateLocked: "rateLocked", bypass: "bypass"}[s.rate.state],
		"arrival": tracker[s.arrival.state], "cycle": tracker[s.cycle.state],
	}
}

// note keeps the transitions since it was called last, if the test asks for them.
func (p *plant) note() {
	if p.seen == nil {
		return
	}
	now := statesOf(p.servo)
	for machine, state := range now {
		if was := p.states[machine]; was != state {
			if machine == "arrival" || machine == "cycle" {
				machine = "Each clock's tracker"
			}
			p.seen[transition{machine, was, state}] = true
		}
	}
	p.states = now
}

var (
	picture = regexp.MustCompile("(?s)([^\n]+):\n\n```mermaid\nstateDiagram-v2\n(.*?)```")
	arrow   = regexp.MustCompile(`(?m)^\s*(\w+) --> (\w+) : .`)
)

// drawn are the transitions in the document.
func drawn(t *testing.T) map[transition]bool {
	t.Helper()
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	all := map[transition]bool{}
	for _, diagram := range picture.FindAllStringSubmatch(string(b), -1) {
		for _, a := range arrow.FindAllStringSubmatch(diagram[2], -1) {
			all[transition{strings.TrimSpace(diagram[1]), a[1], a[2]}] = true
		}
	}
	return all
}

// Everything that can happen to a receiver happens to one here. Each transition that is
// made is drawn in the document, and each that is drawn is made.
func TestTransitionsAreThoseOfTheDocument(t *testing.T) {
	seen := map[transition]bool{}
	start := func(cfg Config) *plant {
		p := newPlant(t, cfg)
		p.states, p.seen = statesOf(p.servo), seen
		return p
	}

	p := start(Config{}) // one clock
	p.run(10)
	p.playing = false // muted
	p.run(20)
	p.timestamp -= 1 << 20 // the sender is reset
	p.run(40)
	p.ppm = 25 // the clocks part
	p.run(60)

	p = start(Config{}) // two clocks that look like one at first
	p.run(3)
	p.ppm = 100
	p.run(6)

	p = start(Config{JitterFrames: 32}) // a sender that is reset before its first sound
	p.ackAfter = 200
	p.run(0.2)
	p.timestamp -= 1 << 20
	p.run(1)

	for _, end := range []func(){
		func() { p.playing = false },
		func() { p.ppm = 25 },
	} {
		p = start(Config{}) // two clocks that become one
		p.ppm = 25
		p.run(40)
		p.ppm = 0
		p.run(300)
		end()
		p.run(320)
	}

	p = start(Config{LatencyFrames: 2000}) // a receiver that loses time
	for _, second := range []float64{10, 12, 20} {
		p.run(second)
		p.media += 250
		p.nowNs += 250 * nominalNs
	}
	p.run(20.1)
	p.media += 1 << 40
	p.run(30)

	want := drawn(t)
	for made := range seen {
		if !want[made] {
			t.Errorf("%s: from %s to %s is not drawn", made.machine, made.from, made.to)
		}
	}
	for is := range want {
		if !seen[is] {
			t.Errorf("%s: from %s to %s is drawn, and nothing did it", is.machine, is.from, is.to)
		}
	}
	if len(want) < 15 {
		t.Errorf("%d transitions are drawn", len(want))
	}
}

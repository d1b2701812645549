// Package locked only tests: sessions in which one end leads and the other follows, on real
// servers. Whoever leads, what goes through the follower's graph and comes back takes one
// period, bit for bit but for cycles that are counted.
package locked

import (
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/gate"
)

const (
	period     = 256
	upWithin   = 20 * time.Second
	backWithin = 20 * time.Second
)

// pair is who leads, and on which servers.
type pair struct {
	name   string
	leader proto.Role
	config endtoend.Config
}

// pairs are those of a guest on JACK and a host on PipeWire.
var pairs = []pair{
	{"jackd leads PipeWire", proto.Guest, endtoend.Config{Guest: []string{"--clock", "lead", "--answer-periods", "1"}}},
	{"PipeWire leads jackd", proto.Host, endtoend.Config{Netone: proto.Guest, Guest: []string{"--clock", "follow"}, Host: []string{"--answer-periods", "1"}}},
}

// alike are those whose servers are of one kind.
var alike = []pair{
	{"PipeWire leads a guest's PipeWire", proto.Host, endtoend.Config{GuestOnPipeWire: true, Guest: []string{"--clock", "follow"}, Host: []string{"--answer-periods", "1"}}},
	{"jackd leads a host's jackd", proto.Guest, endtoend.Config{HostOnJACK: true, Netone: proto.Host, Host: []string{"--clock", "follow"}, Guest: []string{"--answer-periods", "1"}}},
	{"a guest's PipeWire leads PipeWire", proto.Guest, endtoend.Config{GuestOnPipeWire: true, Guest: []string{"--clock", "lead", "--answer-periods", "1"}}},
	{"a host's jackd leads jackd", proto.Host, endtoend.Config{HostOnJACK: true, Netone: proto.Guest, Guest: []string{"--clock", "follow"}, Host: []string{"--answer-periods", "1"}}},
}

// start starts servers and ends, with the follower's nodes connected to each other.
func start(t *testing.T, p pair) *endtoend.Rig {
	t.Helper()
	p.config.PeriodFrames = period
	r, err := endtoend.New(p.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.Logs())
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Quiet(); err != nil {
		t.Fatal(err)
	}
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	locked(t, r, p.leader)
	return r
}

// locked waits until the leader leads, and connects the follower's nodes to each other.
func locked(t *testing.T, r *endtoend.Rig, leader proto.Role) {
	t.Helper()
	if err := r.WaitLocked(leader, upWithin); err != nil {
		t.Fatal(err)
	}
	if err := r.LoopFollower(leader); err != nil {
		t.Fatal(err)
	}
}

// misses are counts of cycles that were not as they should be, at either end. One that is heard
// may be in several of them.
type misses map[string]int

func missed(t *testing.T, r *endtoend.Rig) misses {
	t.Helper()
	m := misses{}
	for _, role := range []proto.Role{proto.Guest, proto.Host} {
		s, err := r.Status(role)
		if err != nil {
			t.Fatal(err)
		}
		d := s.Directions.Receive.Total
		for cause, count := range map[string]uint64{
			"unanswered": d.Unanswered, "left out": d.LeftOut, "made up": d.MadeUp, "takeovers": d.Takeovers, "given up": d.GivenUp,
			"lost time": max(d.Xruns, s.Directions.Send.Total.Xruns), "lost": d.Lost, "xruns": s.Audio.XrunsTotal,
		} {
			m[string(role)+": "+cause] += int(count)
		}
	}
	return m
}

// since is how many there were after an earlier look, and how many of them were heard, at the most.
func (m misses) since(before misses) (by misses, heard int) {
	by = misses{}
	for cause, count := range m {
		if more := count - before[cause]; more != 0 {
			by[cause] = more
		}
	}
	return by, by.heard()
}

// heard counts each once: as an answer that was missing, as a cycle that was made up and answered,
// or as time that a graph lost, of which its server and both directions tell. All else says why.
func (m misses) heard() (n int) {
	for _, role := range []proto.Role{proto.Guest, proto.Host} {
		of := func(cause string) int { return m[string(role)+": "+cause] }
		n += of("unanswered") + of("made up") + max(of("lost time"), of("xruns"))
	}
	return n
}

// A miss costs its cycle, and the cross-fade behind it.
const crossFadeFrames = 64

// undisturbed holds that a leader's graph lost at most 2 % of so many cycles, which a busy machine
// can cost: one that waits for what does not come would lose as many as that are.
func undisturbed(t *testing.T, leader proto.Role, by misses, cycles int) {
	t.Helper()
	if xruns := by[string(leader)+": xruns"]; xruns > cycles/50 {
		t.Errorf("the graph that leads had %d xruns in %d cycles", xruns, cycles)
	}
}

// roundTrip measures it: each frame that came back as it was sent took exactly so many frames,
// and whatever did not is counted. It is nearly all of them.
func roundTrip(t *testing.T, r *endtoend.Rig, leader proto.Role, periodFrames, want int) {
	t.Helper()
	trip, _ := measure(t, r, leader, periodFrames, want, gate.Soak(5*time.Second, 8*time.Second))
	if trip.Longest < 2*periodFrames || 10*trip.Equal < 9*trip.Frames {
		t.Errorf("%d of %d frames equal, longest stretch %d", trip.Equal, trip.Frames, trip.Longest)
	}
}

// measure is roundTrip for so long, however much is missing.
func measure(t *testing.T, r *endtoend.Rig, leader proto.Role, periodFrames, want int, duration time.Duration) (endtoend.RoundTrip, misses) {
	t.Helper()
	before := missed(t, r)
	trip, err := r.RoundTrip(leader, periodFrames, duration)
	if err != nil {
		t.Fatal(err)
	}
	by, misses := missed(t, r).since(before)
	t.Logf("%d of %d frames equal, longest stretch %d, %d breaks, took %v; counted: %v", trip.Equal, trip.Frames, trip.Longest, trip.Breaks, trip.Took, by)
	// Time that the leader's server loses is behind what was under way.
	underWay := periodFrames * (by[string(leader)+": lost time"] + by[string(leader)+": xruns"])
	for frames, count := range trip.Took {
		if frames != want && count > underWay {
			t.Errorf("%d frames came back after %d, want %d", count, frames, want)
		}
	}
	if different := trip.Frames - trip.Equal; trip.Breaks > misses || different > misses*(periodFrames+crossFadeFrames) {
		t.Errorf("%d breaks, %d frames that differ, and only %d misses are counted", trip.Breaks, different, misses)
	}
	return trip, by
}

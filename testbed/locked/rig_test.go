// Package locked only tests: sessions in which one end leads and the other follows, on real
// servers. Whoever leads, what goes through the follower's graph and comes back takes one
// period, bit for bit but for cycles that are counted.
package locked

import (
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
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
	{"PipeWire leads jackd", proto.Host, endtoend.Config{Netone: true, Guest: []string{"--clock", "follow"}, Host: []string{"--answer-periods", "1"}}},
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

// misses are cycles that were not as they should be, at either end, by the cause: each is
// heard.
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
			"lost time": d.Xruns + s.Directions.Send.Total.Xruns, "lost": d.Lost, "xruns": s.Audio.XrunsTotal,
		} {
			m[string(role)+": "+cause] += int(count)
		}
	}
	return m
}

// since is how many there were after an earlier look, and in all.
func (m misses) since(before misses) (by misses, sum int) {
	by = misses{}
	for cause, count := range m {
		if more := count - before[cause]; more != 0 {
			by[cause] = more
			sum += more
		}
	}
	return by, sum
}

// roundTrip measures it: each frame that came back as it was sent took exactly so many frames,
// and whatever did not is counted.
func roundTrip(t *testing.T, r *endtoend.Rig, leader proto.Role, periodFrames, want int) {
	t.Helper()
	before := missed(t, r)
	trip, err := r.RoundTrip(leader, periodFrames, 6*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	by, misses := missed(t, r).since(before)
	t.Logf("%d of %d frames equal, longest stretch %d, %d breaks, took %v; counted: %v", trip.Equal, trip.Frames, trip.Longest, trip.Breaks, trip.Took, by)
	for frames, count := range trip.Took {
		if frames != want {
			t.Errorf("%d frames came back after %d, want %d", count, frames, want)
		}
	}
	if trip.Longest < 2*periodFrames || 10*trip.Equal < 9*trip.Frames {
		t.Errorf("%d of %d frames equal, longest stretch %d", trip.Equal, trip.Frames, trip.Longest)
	}
	// A miss costs its cycle, and the cross-fade behind it.
	const crossFadeFrames = 64
	if different := trip.Frames - trip.Equal; trip.Breaks > misses || different > misses*(periodFrames+crossFadeFrames) {
		t.Errorf("%d breaks, %d frames that differ, and only %d misses are counted", trip.Breaks, different, misses)
	}
}

// Package locked only tests: sessions in which one end leads and the other follows, on real
// servers. Whoever leads, what goes through the follower's graph and comes back takes one
// period, bit for bit but for cycles that are counted.
package locked

import (
	"fmt"
	"maps"
	"math"
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

// misses are counts of cycles that were not as they should be, at either end, and of datagrams
// that the way between them passed on and lost.
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
			m[string(role)+": "+cause] = int(count)
		}
	}
	if r.Way != nil {
		sent, lost := r.Way.Counts()
		for i, to := range []proto.Role{proto.Host, proto.Guest} {
			m["datagrams to the "+string(to)] = int(sent[i] + lost[i])
		}
	}
	return m
}

// looks are what was missed so far at some moments.
type looks []misses

// at returns what takes a look.
func (l *looks) at(t *testing.T, r *endtoend.Rig) func() {
	return func() { t.Helper(); *l = append(*l, missed(t, r)) }
}

// between is how many there were from the first look to the last.
func (l looks) between() misses {
	by := maps.Clone(l[len(l)-1])
	for cause := range by {
		by[cause] -= l[0][cause]
	}
	maps.DeleteFunc(by, func(_ string, count int) bool { return count == 0 })
	return by
}

func (m misses) of(role proto.Role, cause string) int { return m[string(role)+": "+cause] }

// lostTime is how often a role's graph lost time: its server and the bridge tell of the same.
func (m misses) lostTime(role proto.Role) int {
	return max(m.of(role, "lost time"), m.of(role, "xruns"))
}

// heard is how many misses were heard in the leader's graph, at the most: time that it lost, cycles
// whose answer was missing, which those are that the follower's graph skipped, and cycles that the
// follower made up. One that was made up and whose answer was late, too, counts as two: they cannot
// be told apart. That widens a bound only where packets are lost or late, and there a test has a
// bound of its own.
func (m misses) heard(leader proto.Role) int {
	follower := leader.Other()
	return m.lostTime(leader) + max(m.of(leader, "unanswered"), m.lostTime(follower)) + m.of(follower, "made up")
}

// chance is the most that a count of independent events can be by chance, where its mean is known:
// three standard deviations above it (Poisson: the variance is the mean), and one event's where
// the mean is near nothing.
func chance(mean float64) float64 { return mean + 3*math.Sqrt(mean+1) }

// again is that for a count of which one of the same time is known, not the mean: the variance of
// the difference of two is twice as much.
func again(before int) int { return before + int(3*math.Sqrt(float64(2*before+1))) }

// A miss costs its cycle, and the cross-fade behind it.
const crossFadeFrames = 64

// undisturbed holds that a leader's graph lost time as often as before, in as long a time. One that
// waits for what does not come would lose time in each cycle.
func undisturbed(t *testing.T, leader proto.Role, before, by misses) {
	t.Helper()
	if usual, is := before.lostTime(leader), by.lostTime(leader); is > again(usual) {
		t.Errorf("the graph that leads lost time %d times, and %d times in as long a time before", is, usual)
	}
}

// roundTrip measures it: each frame that came back as it was sent took exactly so many frames,
// and whatever did not is counted. It is nearly all of them.
func roundTrip(t *testing.T, r *endtoend.Rig, leader proto.Role, periodFrames, want int) {
	t.Helper()
	trip, _ := measure(t, r, leader, periodFrames, want, gate.Soak(3*time.Second, 6*time.Second))
	if trip.Longest < 2*periodFrames || 10*trip.Equal < 9*trip.Frames {
		t.Errorf("%d of %d frames equal, longest stretch %d", trip.Equal, trip.Frames, trip.Longest)
	}
}

// measure is roundTrip for so long, however much is missing.
func measure(t *testing.T, r *endtoend.Rig, leader proto.Role, periodFrames, want int, duration time.Duration) (endtoend.RoundTrip, misses) {
	t.Helper()
	var l looks
	trip, err := r.RoundTrip(leader, periodFrames, duration, l.at(t, r))
	if err != nil {
		t.Fatal(err)
	}
	by := l.between()
	t.Logf("%d of %d frames equal, longest stretch %d, %d breaks, took %v; counted: %v", trip.Equal, trip.Frames, trip.Longest, trip.Breaks, trip.Took, by)
	for _, fault := range faults(trip, by, leader, periodFrames, want) {
		t.Error(fault)
	}
	return trip, by
}

// faults are what a round trip has that no miss excuses.
func faults(trip endtoend.RoundTrip, by misses, leader proto.Role, periodFrames, want int) (found []string) {
	elsewhere := 0
	for frames, count := range trip.Took {
		if frames != want {
			elsewhere += count
		}
	}
	// Time that the leader's server loses is behind what was under way.
	if lost := by.lostTime(leader); elsewhere > want*lost {
		found = append(found, fmt.Sprintf("%d frames did not take %d but %v, and the graph that leads lost time %d times", elsewhere, want, trip.Took, lost))
	}
	misses := by.heard(leader)
	if different := trip.Frames - trip.Equal; trip.Breaks > misses || different > misses*(periodFrames+crossFadeFrames) {
		found = append(found, fmt.Sprintf("%d breaks, %d frames that differ, and only %d misses are counted", trip.Breaks, different, misses))
	}
	return found
}

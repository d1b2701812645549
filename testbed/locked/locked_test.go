package locked

import (
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/stack"
)

func TestARoundTripThroughTheFollowersGraphTakesOnePeriodBitForBit(t *testing.T) {
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			r := start(t, p)
			roundTrip(t, r, p.leader, period, period)
		})
	}
}

func TestARoundTripBetweenServersOfOneKindTakesOnePeriodBitForBit(t *testing.T) {
	for _, p := range gate.Soak(alike[:2], alike) {
		t.Run(p.name, func(t *testing.T) {
			r := start(t, p)
			roundTrip(t, r, p.leader, period, period)
		})
	}
}

func TestAnswersOfTwoPeriodsTakeTwo(t *testing.T) {
	p := pairs[1]
	p.config.Host = []string{"--answer-periods", "2"}
	r := start(t, p)
	roundTrip(t, r, p.leader, period, 2*period)
}

// answered waits until the leader hears answers, and most are there in time.
func answered(t *testing.T, r *endtoend.Rig, leader proto.Role) {
	t.Helper()
	var first status.Counts
	waitFor(t, r, leader, "answered", func(s status.Status) bool {
		before := first
		first = s.Directions.Receive.Total
		const some = 10 // cycles, in the 50 ms between two looks at least 9 of 2 packets each
		return first.Packets > before.Packets+some && first.Unanswered < before.Unanswered+some/2
	})
}

// Whoever is killed: the other end and its graph go on, and all is as before when it is back.
func TestEachEndAndServerIsKilledAndComesBack(t *testing.T) {
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			p.config.Shared = true // misses are counted, whoever's they are
			r := start(t, p)
			for _, victim := range []struct {
				name  string
				kills *stack.Process
				then  []*stack.Process
			}{
				{"guest", r.Guest, nil}, {"host", r.Host, nil}, {"jackd", r.Jackd.Process, nil}, {"PipeWire", r.PipeWire, []*stack.Process{r.WirePlumber}},
			} {
				victim.kills.Kill9()
				time.Sleep(1500 * time.Millisecond)
				for _, other := range []*stack.Process{r.Guest, r.Host, r.Jackd.Process, r.PipeWire} {
					if other != victim.kills && !other.Alive() {
						t.Fatalf("%s was killed, and %s is gone, too: %s", victim.name, other.Name, other.LogTail())
					}
				}
				for _, p := range append([]*stack.Process{victim.kills}, victim.then...) {
					if err := p.Restart(); err != nil {
						t.Fatal(err)
					}
				}
				locked(t, r, p.leader)
				answered(t, r, p.leader)
			}
		})
	}
}

func TestTwoLeadersAreToldSo(t *testing.T) {
	r, err := endtoend.New(endtoend.Config{PeriodFrames: period, Shared: true, Common: []string{"--clock", "lead"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	for _, begin := range []func() error{r.StartGuestServer, r.StartHostServer, r.StartGuest, r.StartHost} {
		if err := begin(); err != nil {
			t.Fatal(err)
		}
	}
	const want = "both ends are to lead (--clock lead on the guest and on the host): set one of them to follow, or to auto"
	for _, role := range []proto.Role{proto.Guest, proto.Host} {
		deadline := time.Now().Add(upWithin)
		for said := ""; !strings.Contains(said, want); time.Sleep(50 * time.Millisecond) {
			if s, err := r.Status(role); err == nil {
				said = s.Session.LastError
			}
			if time.Now().After(deadline) {
				t.Fatalf("the %s says %q, want %q", role, said, want)
			}
		}
	}
}

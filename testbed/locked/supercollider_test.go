package locked

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/sc"
	"archibald-bridge/testbed/signal"
)

// SuperCollider plays in a graph that follows. Then it is given more synths than any processor can
// play in a period: both ends say that this graph is too
// slow, and the graph that leads hears its own sound as ever. Without them all is as before.
func TestSuperColliderIsHeardInTheLeadersGraphAndCanBeOverloaded(t *testing.T) {
	p := pairs[1]
	r := start(t, p)
	if err := r.PlaySuperCollider(); err != nil {
		t.Fatal(err)
	}
	before := heard(t, r, p.leader)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := sc.Dial(r.Scsynth.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	synths := overload(ctx, t, r, client)
	told(t, r, proto.Guest, health.CyclesLost, "the graph, which follows, lost ")
	told(t, r, proto.Host, health.AnswersLate, "the guest's ")
	during, by := hear(t, r)
	undisturbed(t, p.leader, before, by)
	if gone := frames(during.Witness); gone > during.Frames/50 {
		t.Errorf("with %d synths too many the leader's own tone is gone for %d of %d frames: %+v", len(synths), gone, during.Frames, during.Witness)
	}

	if err := client.Free(ctx, synths...); err != nil {
		t.Fatal(err)
	}
	calm(t, r, p.leader)
	heard(t, r, p.leader)
}

// frames is how long gaps are together.
func frames(gaps []signal.Gap) (sum int) {
	for _, gap := range gaps {
		sum += gap.LengthFrames
	}
	return sum
}

// overload starts synths until fewer than one in five of the leader's cycles is answered.
func overload(ctx context.Context, t *testing.T, r *endtoend.Rig, client *sc.Client) (synths []int32) {
	t.Helper()
	unanswered := func() uint64 {
		s, err := r.Status(proto.Host)
		if err != nil {
			t.Fatal(err)
		}
		return s.Directions.Receive.Total.Unanswered
	}
	for len(synths) < 1000 {
		for range 40 {
			synth, err := client.Burden(ctx)
			if err != nil {
				t.Fatal(err)
			}
			synths = append(synths, synth)
		}
		before, since := unanswered(), time.Now()
		time.Sleep(400 * time.Millisecond)
		if cycles := time.Since(since).Seconds() * 48000 / period; float64(unanswered()-before) > 0.8*cycles {
			return synths
		}
	}
	t.Fatalf("%d synths are played in time", len(synths))
	return nil
}

// told waits until an end tells of a problem.
func told(t *testing.T, r *endtoend.Rig, role proto.Role, code, text string) {
	t.Helper()
	waitFor(t, r, role, "told of "+code, func(s status.Status) bool {
		return slices.ContainsFunc(s.Problems, func(p status.Problem) bool { return p.Code == code && strings.HasPrefix(p.Text, text) })
	})
}

// calm waits until no cycle was missed for a second.
func calm(t *testing.T, r *endtoend.Rig, leader proto.Role) {
	t.Helper()
	for since := time.Now(); ; {
		before := missed(t, r)
		time.Sleep(time.Second)
		by := looks{before, missed(t, r)}.between()
		if by.heard(leader) == 0 {
			return
		}
		if time.Since(since) > backWithin {
			t.Fatalf("cycles are missed for %v: %v", backWithin, by)
		}
	}
}

// heard judges SuperCollider's tone at the leader: its pitch is that of the leader's clock, and it
// has no gap that is not counted.
func heard(t *testing.T, r *endtoend.Rig, leader proto.Role) misses {
	t.Helper()
	h, by := hear(t, r)
	if math.Abs(h.Tone.FrequencyHz-endtoend.LeftHz) > 0.005 || len(h.Gaps) > by.heard(leader) {
		t.Errorf("%.4f Hz, played %.0f Hz, gaps %+v", h.Tone.FrequencyHz, endtoend.LeftHz, h.Gaps)
	}
	return by
}

// hear listens in the leader's graph.
func hear(t *testing.T, r *endtoend.Rig) (endtoend.InLeadersGraph, misses) {
	t.Helper()
	var l looks
	h, err := r.HearSuperCollider(gate.Soak(time.Second, 8*time.Second), l.at(t, r))
	if err != nil {
		t.Fatal(err)
	}
	by := l.between()
	t.Logf("%.4f Hz at %.2f dBFS, %d gaps; the leader's own tone has %d; counted: %v",
		h.Tone.FrequencyHz, h.Tone.LevelDBFS, len(h.Gaps), len(h.Witness), by)
	return h, by
}

package health

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
)

// both is an end that sends and receives.
func both() Now {
	return Now{Us: "guest", Peer: "host", Server: "JACK", Streams: &Streams{
		Sends: true, To: netip.MustParseAddrPort("192.0.2.7:4713"), Receives: true, At: netip.MustParseAddrPort("0.0.0.0:4713"),
	}}
}

func codes(found []status.Problem) string {
	var all []string
	for _, p := range found {
		all = append(all, p.Code)
	}
	return strings.Join(all, " ")
}

// How each cause looks at a whole end is tested in bridge/session.
func TestWhatNeedsNoCountingIsKnownAtOnceAndTheRestAfterAWhile(t *testing.T) {
	var v Vitals
	v.Reset(1e9)
	now := both()
	now.NotRealtime, now.Streams.SendRefused = true, errors.New("not reachable")
	var counters stream.Counters
	for halfSeconds := range int64(10) {
		now.Ns = 1e9 + halfSeconds*5e8
		v.Sample(now.Ns, counters) // no cycle runs
		found, known := v.Diagnose(now)
		want := NotRealtime + " " + SendRefused
		if halfSeconds >= 4 {
			want += " " + GraphStopped
		}
		if got := codes(found); got != want || known != (halfSeconds >= 4) {
			t.Errorf("after %d half seconds: %q, want %q; known %v", halfSeconds, got, want, known)
		}
	}
	counters.Received.Cycles = 750
	now.Ns += 5e8
	v.Sample(now.Ns, counters)
	if found, _ := v.Diagnose(now); codes(found) != NotRealtime+" "+SendRefused {
		t.Errorf("with cycles: %q", codes(found))
	}
}

func TestWithoutStreamsOnlyTheThreadsCanBeWrong(t *testing.T) {
	var v Vitals
	if found, known := v.Diagnose(Now{Us: "guest", Peer: "host"}); len(found) != 0 || known {
		t.Errorf("%+v, known %v", found, known)
	}
	if found, _ := v.Diagnose(Now{Us: "guest", Peer: "host", NotRealtime: true}); codes(found) != NotRealtime {
		t.Errorf("%+v", found)
	}
}

// Nothing else about a peer that pauses is a fault of its.
func TestAPeerThatPausesHasNoOtherProblem(t *testing.T) {
	var v Vitals
	v.Reset(0)
	now := both()
	now.Streams.PeerPaused, now.Streams.Silent = true, true
	for s := range int64(10) {
		now.Ns = s * 1e9
		v.Sample(now.Ns, stream.Counters{})
	}
	if found, _ := v.Diagnose(now); codes(found) != PeerFreewheels {
		t.Errorf("%+v", found)
	}
}

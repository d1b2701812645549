package audio

import (
	"slices"
	"testing"
	"time"
)

func TestNodesAreNamedAfterTheBridgeAndThePeer(t *testing.T) {
	for _, test := range []struct{ bridge, peer, to, from string }{
		{"", "host", "archibald-to-host", "archibald-from-host"},
		{"lab", "guest", "archibald-lab-to-guest", "archibald-lab-from-guest"},
	} {
		if to, from := Names(test.bridge, test.peer); to != test.to || from != test.from {
			t.Errorf("%q, %q: %s and %s", test.bridge, test.peer, to, from)
		}
	}
}

func TestBackendsAreFoundByNameAndByWhatTheyCan(t *testing.T) {
	if b, ok := Named(PipeWire); !ok || b.Title != "PipeWire" || !b.ChoosesPeriod() {
		t.Errorf("%+v, %v", b, ok)
	}
	if b, ok := Named("alsa"); ok {
		t.Errorf("alsa is %+v", b)
	}
	if got := With(func(can Capabilities) bool { return can.Devices }); !slices.Equal(got, []string{PortAudio}) {
		t.Errorf("with devices: %q", got)
	}
}

func TestPoliciesHaveTheNamesOfChrt(t *testing.T) {
	for number, want := range []string{"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_OTHER"} {
		if got := PolicyName(number); got != want {
			t.Errorf("%d: %s, want %s", number, got, want)
		}
	}
}

func TestAWatchDeliversUntilItIsStopped(t *testing.T) {
	events, sent := make(chan Event), make(chan bool, 2)
	w := StartWatch(events, func(w *Watch) {
		sent <- w.Send(Changed)
		sent <- w.Send(Lost) // nobody takes it
	})
	if event := <-events; event != Changed || !<-sent {
		t.Errorf("event %d", event)
	}
	stopped := make(chan struct{})
	go func() { defer close(stopped); w.Stop(nil) }()
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Fatal("Stop does not return")
	}
	if <-sent {
		t.Error("an event counts as delivered that nobody took")
	}
}

func TestAWatchThatWaitsForSomethingElseIsWoken(t *testing.T) {
	something := make(chan struct{})
	w := StartWatch(make(chan Event), func(*Watch) { <-something })
	w.Stop(func() { close(something) })
}

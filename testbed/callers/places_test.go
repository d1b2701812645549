package callers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/strangers"
)

func unknown(d *proto.Description) { d.Version = proto.Version + 1 }

// nodes are the names of the bridge's nodes in the host's PipeWire.
func nodes(t *testing.T) []string {
	t.Helper()
	ports, err := town.Host.PipeWirePorts()
	must(t, err)
	var names []string
	for _, port := range ports {
		node, _, _ := strings.Cut(port, ":")
		if strings.HasPrefix(node, "archibald") && !slices.Contains(names, node) {
			names = append(names, node)
		}
	}
	slices.Sort(names)
	return names
}

// Names that strangers make up cost the desktop no node, and a guest that starts again
// finds its place.
func TestAHostOfSeveralGuestsKeepsItsPlacesForThem(t *testing.T) {
	town := machines(t)
	const places = 2
	must(t, town.StartHost("--guests", fmt.Sprint(places)))
	must(t, town.StartGuest(strangers.HostDoor, "--name", "ann"))
	deadline := time.Now().Add(20 * time.Second)
	for {
		if s, err := town.GuestStatus(); err == nil && s.Session.ID != "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("ann does not find the host: %s", strangers.Tail(town.GuestEnd))
		}
		time.Sleep(50 * time.Millisecond)
	}
	// Her nodes have ports, by which they are found here, once the session manager gave
	// them some.
	before := nodes(t)
	for ; len(before) < 2; before = nodes(t) {
		if time.Now().After(deadline) {
			t.Fatalf("ann has the nodes %q", before)
		}
		time.Sleep(50 * time.Millisecond)
	}
	offered := make(chan struct{})
	go func() {
		defer close(offered)
		for i := range 10 {
			name, ssrc := fmt.Sprintf("made-up-%d", i), uint32(2*i+1001)
			for _, offer := range [][]byte{strangers.Offer(name, ssrc, nil), strangers.Offer(name, ssrc, strangers.Unfit)} {
				if code, text, err := town.Outside().Post(strangers.HostDoor, offer); err == nil {
					t.Errorf("outside: %d %s", code, text)
				}
			}
			for what, change := range map[string]func(*proto.Description){"rate": strangers.Unfit, "role": strangers.AsHost, "version": unknown} {
				if code, text, err := town.Inside().Post(strangers.HostDoor, strangers.Offer(name, ssrc, change)); err != nil || code < 400 || code == http.StatusServiceUnavailable {
					t.Errorf("inside, with a %s that does not fit: %d %s, %v", what, code, text, err)
				}
			}
		}
	}()
	for done := false; !done; {
		select {
		case <-offered:
			done = true
		default:
		}
		if now := nodes(t); !slices.Equal(now, before) {
			t.Errorf("nodes before %q, with offers that are refused %q", before, now)
			<-offered
			break
		}
	}
	if s, err := town.HostStatus(); err != nil || len(s.Guests) != 1 {
		t.Errorf("%d guests, want ann: %v", len(s.Guests), err)
	}
	// Ann is gone for longer than it takes to notice, and others want all places.
	town.GuestEnd.Kill9()
	time.Sleep(11 * time.Second)
	for i := range 3 * places {
		_, _, _ = town.Inside().Post(strangers.HostDoor, strangers.Offer(fmt.Sprintf("other-%d", i), 2*uint32(i)+2001, nil))
	}
	must(t, town.GuestEnd.Restart())
	begun := time.Now()
	for {
		if s, err := town.GuestStatus(); err == nil && s.Session.ID != "" {
			break
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatalf("ann lost her place: %s", strangers.Tail(town.GuestEnd))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

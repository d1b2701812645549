package strangers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// nodes are the names of the bridge's nodes in the host's PipeWire.
func (town *Town) nodes(t *testing.T) []string {
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

// Names that strangers make up cost the desktop no node, and a guest that starts anew
// finds its place.
func TestAHostOfSeveralGuestsKeepsItsPlacesForThem(t *testing.T) {
	town := machines(t)
	const places = 2
	must(t, town.StartHost("--guests", fmt.Sprint(places)))
	must(t, town.StartGuest(HostDoor, "--name", "ann"))
	deadline := time.Now().Add(20 * time.Second)
	for {
		if s, err := town.GuestStatus(); err == nil && s.Session.ID != "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("ann does not find the host: %s", tail(town.GuestEnd))
		}
		time.Sleep(50 * time.Millisecond)
	}
	before := town.nodes(t)
	for i := range 10 {
		name := fmt.Sprintf("made-up-%d", i)
		for _, offer := range [][]byte{Offer(name, 2*uint32(i)+1001, nil), Offer(name, 2*uint32(i)+1001, unfit)} {
			if code, text, err := town.Outside().Post(HostDoor, offer); err == nil {
				t.Errorf("outside: %d %s", code, text)
			}
		}
		if code, _, err := town.Inside().Post(HostDoor, Offer(name, 2*uint32(i)+1001, unfit)); err != nil || code != http.StatusConflict {
			t.Errorf("inside, with an offer that does not fit: %d, %v", code, err)
		}
	}
	if after := town.nodes(t); !slices.Equal(after, before) {
		t.Errorf("nodes before %q, after offers that were refused %q", before, after)
	}
	if s, err := town.HostStatus(); err != nil || len(s.Guests) != 1 {
		t.Errorf("%d guests, want ann: %v", len(s.Guests), err)
	}
	// Ann is gone for longer than it takes to notice, and others want all places.
	town.GuestEnd.Kill9()
	time.Sleep(11 * time.Second)
	for i := range 3 * places {
		_, _, _ = town.Inside().Post(HostDoor, Offer(fmt.Sprintf("other-%d", i), 2*uint32(i)+2001, nil))
	}
	must(t, town.GuestEnd.Restart())
	begun := time.Now()
	for {
		if s, err := town.GuestStatus(); err == nil && s.Session.ID != "" {
			break
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatalf("ann lost her place: %s", tail(town.GuestEnd))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

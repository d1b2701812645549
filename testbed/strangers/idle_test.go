package strangers

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/testbed/gate"
)

// A host that nobody has called yet.
func TestAnIdleHostGivesStrangersNothing(t *testing.T) {
	town := machines(t)
	must(t, town.StartHost())
	must(t, town.WaitReady(20*time.Second))
	ear, err := NewEar(town.Strangers, false)
	must(t, err)
	defer func() { _ = ear.Close() }()
	out := town.Outside()
	for _, request := range []struct {
		method, path string
		body         []byte
	}{
		{http.MethodPost, "/session", publicOffer()},
		{http.MethodPost, "/session", Offer("other", 0xbad0bad, nil)},
		{http.MethodPost, "/session", Offer("", guestSSRC, unfit)},
		{http.MethodGet, "/healthz", nil},
		{http.MethodDelete, "/session/1", nil},
	} {
		if code, text, err := out.Say(HostDoor, request.method, request.path, request.body); err == nil {
			t.Errorf("%s %s: %d %s", request.method, request.path, code, text)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	must(t, together(out.Stream(HostDoor, guestSSRC), out.Goodbyes(HostDoor, GuestDoor, guestSSRC, 0))(ctx))
	if n := ear.Datagrams(InsideAddress, OutsideAddress); n > 0 {
		t.Errorf("%d datagrams went to strangers", n)
	}
	if s, err := town.HostStatus(); err != nil || s.Session.ID != "" {
		t.Errorf("the host has a session: %+v, %v", s.Session, err)
	}
}

// lateness is how much longer than undisturbed a guest may take to come back.
const lateness = 2 * time.Second

// Whatever strangers do to the host meanwhile, a guest that starts again finds it, and
// nobody else is in its place.
func TestAGuestThatStartsAnewFindsItsHostAmongStrangers(t *testing.T) {
	town := session(t, HostDoor)
	in, out := town.Inside(), town.Outside()
	ear, err := NewEar(town.Strangers, false)
	must(t, err)
	defer func() { _ = ear.Close() }()
	var undisturbed time.Duration
	used := 1 // the most of any row
	defer func() { gate.Attempts(t, used, attempts) }()
	for i, row := range []struct {
		name   string
		attack Attack
	}{
		{"nothing", idle},
		{"sound from two strangers", together(in.Stream(HostDoor, guestSSRC), out.Stream(HostDoor, guestSSRC))},
		{"sound in the peer's name", in.StreamAs(netip.AddrPortFrom(GuestAddress, 40000), HostDoor, guestSSRC)},
		{"offers that are refused", in.OfferOften(HostDoor, func() []byte { return Offer("", guestSSRC, unfit) }, new(Tally))},
		{"flood of sound in the peer's name", in.FloodAs(GuestDoor, HostDoor, Sound(guestSSRC))},
		{"connections without end, from outside", out.Knock(HostDoor, 16)},
		{"64 who say nothing", in.Hold(HostDoor, 64, Mute, publicOffer)},
		{"128 who drip", together(in.Hold(HostDoor, 64, Dripping, publicOffer), out.Hold(HostDoor, 64, Dripping, publicOffer))},
		{"64 who never read", in.Hold(HostDoor, 64, Deaf, func() []byte { return Offer("", guestSSRC, unfit) })},
	} {
		datagrams := ear.Datagrams(InsideAddress, OutsideAddress)
		took, err := comesBack(t, town, row.attack)
		if i == 0 {
			undisturbed = took
		}
		// A machine may stand still for a second, too, but not each time.
		for attempt := 1; attempt < attempts && (err != nil || took > undisturbed+lateness); attempt++ {
			t.Logf("%s: back after %v, %v", row.name, took, err)
			took, err = comesBack(t, town, row.attack)
			used = max(used, attempt+1)
		}
		n := ear.Datagrams(InsideAddress, OutsideAddress) - datagrams
		t.Logf("%s: back after %v, datagrams to strangers %d", row.name, took.Round(time.Millisecond), n)
		if err != nil || took > undisturbed+lateness {
			t.Errorf("%s: back after %v, undisturbed after %v: %v", row.name, took, undisturbed, err)
		}
		if n > 0 {
			t.Errorf("%s: %d datagrams went to strangers", row.name, n)
		}
	}
}

// comesBack kills the guest end and starts it again while an attack goes on, and returns
// how long it takes until there is sound.
func comesBack(t *testing.T, town *Town, attack Attack) (took time.Duration, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- attack(ctx) }()
	time.Sleep(500 * time.Millisecond)
	town.GuestEnd.Kill9()
	begun := time.Now()
	must(t, town.GuestEnd.Restart())
	err = town.WaitUp(10 * time.Second)
	took = time.Since(begun)
	cancel()
	must(t, <-done)
	if err != nil {
		must(t, town.WaitUp(20*time.Second))
	}
	return took, err
}

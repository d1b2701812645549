package callers

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/strangers"
)

// A host that nobody has called yet.
func TestAnIdleHostGivesStrangersNothing(t *testing.T) {
	town := machines(t)
	must(t, town.StartHost())
	must(t, town.WaitReady(20*time.Second))
	ear, err := strangers.NewEar(town.Strangers, false)
	must(t, err)
	defer func() { _ = ear.Close() }()
	out := town.Outside()
	for _, request := range []struct {
		method, path string
		body         []byte
	}{
		{http.MethodPost, "/session", strangers.PublicOffer()},
		{http.MethodPost, "/session", strangers.Offer("other", 0xbad0bad, nil)},
		{http.MethodPost, "/session", strangers.Offer("", strangers.GuestSSRC, strangers.Unfit)},
		{http.MethodGet, "/healthz", nil},
		{http.MethodDelete, "/session/1", nil},
	} {
		if code, text, err := out.Say(strangers.HostDoor, request.method, request.path, request.body); err == nil {
			t.Errorf("%s %s: %d %s", request.method, request.path, code, text)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	must(t, strangers.Together(out.Stream(strangers.HostDoor, strangers.GuestSSRC), out.Goodbyes(strangers.HostDoor, strangers.GuestDoor, strangers.GuestSSRC, 0))(ctx))
	if n := ear.Datagrams(strangers.InsideAddress, strangers.OutsideAddress); n > 0 {
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
	town := session(t, strangers.HostDoor)
	in, out := town.Inside(), town.Outside()
	ear, err := strangers.NewEar(town.Strangers, false)
	must(t, err)
	defer func() { _ = ear.Close() }()
	var undisturbed time.Duration
	used := 1 // the most of any row
	defer func() { gate.Attempts(t, used, attempts) }()
	for i, row := range []struct {
		name   string
		attack strangers.Attack
	}{
		{"nothing", strangers.Idle},
		{"sound from two strangers", strangers.Together(in.Stream(strangers.HostDoor, strangers.GuestSSRC), out.Stream(strangers.HostDoor, strangers.GuestSSRC))},
		{"sound in the peer's name", in.StreamAs(netip.AddrPortFrom(strangers.GuestAddress, 40000), strangers.HostDoor, strangers.GuestSSRC)},
		{"offers that are refused", in.OfferOften(strangers.HostDoor, func() []byte { return strangers.Offer("", strangers.GuestSSRC, strangers.Unfit) }, new(strangers.Tally))},
		{"flood of sound in the peer's name", in.FloodAs(strangers.GuestDoor, strangers.HostDoor, strangers.Sound(strangers.GuestSSRC))},
		{"connections without end, from outside", out.Knock(strangers.HostDoor, 16)},
		{"64 who say nothing", in.Hold(strangers.HostDoor, 64, strangers.Mute, strangers.PublicOffer)},
		{"128 who drip", strangers.Together(in.Hold(strangers.HostDoor, 64, strangers.Dripping, strangers.PublicOffer), out.Hold(strangers.HostDoor, 64, strangers.Dripping, strangers.PublicOffer))},
		{"64 who never read", in.Hold(strangers.HostDoor, 64, strangers.Deaf, func() []byte { return strangers.Offer("", strangers.GuestSSRC, strangers.Unfit) })},
	} {
		datagrams := ear.Datagrams(strangers.InsideAddress, strangers.OutsideAddress)
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
		n := ear.Datagrams(strangers.InsideAddress, strangers.OutsideAddress) - datagrams
		t.Logf("%s: back after %v, datagrams to strangers %d", row.name, took.Round(time.Millisecond), n)
		if err != nil || took > undisturbed+lateness {
			t.Errorf("%s: back after %v, undisturbed after %v: %v", row.name, took, undisturbed, err)
		}
		if n > 0 {
			t.Errorf("%s: %d datagrams went to strangers", row.name, n)
		}
	}
}

// attempts is how often a row may be tried.
const attempts = 3

// comesBack kills the guest end and starts it again while an attack goes on, and returns
// how long it takes until there is sound.
func comesBack(t *testing.T, town *strangers.Town, attack strangers.Attack) (took time.Duration, err error) {
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

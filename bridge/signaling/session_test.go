package signaling

import (
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"archibald-bridge/proto"
)

var nobody netip.AddrPort

func TestEitherSideMayStartFirstAndEitherMayCall(t *testing.T) {
	for _, c := range []struct {
		name                   string
		guestCalls, hostCalls  bool
		guestFirst, bothAtOnce bool
	}{
		{"guest calls, guest first", true, false, true, false},
		{"guest calls, host first", true, false, false, false},
		{"host calls, guest first", false, true, true, false},
		{"host calls, host first", false, true, false, false},
		{"both call, guest first", true, true, true, false},
		{"both call, host first", true, true, false, false},
		{"both call, at once", true, true, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
			toHost, toGuest := nobody, nobody
			if c.guestCalls {
				toHost = hostAddr
			}
			if c.hostCalls {
				toGuest = guestAddr
			}
			var guest, host *end
			startGuest := func() { guest = start(t, proto.Guest, guestAddr, toHost) }
			startHost := func() { host = start(t, proto.Host, hostAddr, toGuest) }
			pause := func() { time.Sleep(50 * time.Millisecond) } // the first one has time to fail
			switch {
			case c.bothAtOnce:
				startGuest()
				startHost()
			case c.guestFirst:
				startGuest()
				pause()
				startHost()
			default:
				startHost()
				pause()
				startGuest()
			}
			waitTogether(t, guest, host)
			g, _ := guest.Current()
			h, _ := host.Current()
			if g.Called == h.Called {
				t.Errorf("guest called %v, host called %v", g.Called, h.Called)
			}
			if status := guest.Status(); status != (Status{State: Up}) {
				t.Errorf("status %+v", status)
			}
		})
	}
}

func TestWhatASessionSays(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := newEnd(t, proto.Host, hostAddr, nobody)
	host.local.Port, host.local.PacketFrames = 5004, 64
	host.run()
	guest := newEnd(t, proto.Guest, guestAddr, hostAddr)
	guest.local.Port, guest.local.SendChannels = 5006, 1
	guest.run()
	id := waitTogether(t, guest, host)

	stereo := proto.Format{Encoding: proto.F32, RateHz: 48000, Channels: 2}
	mono := stereo
	mono.Channels = 1
	want := Session{
		ID: id,
		Agreement: proto.Agreement{
			Send: mono, Receive: stereo, LocalSSRC: proto.SSRC("lab", proto.Guest), PeerSSRC: proto.SSRC("lab", proto.Host),
			PeerPort: 5004, PeerName: "lab", PeerRole: proto.Host, PeerSends: 2, PeerReceives: 2, PeerPacketFrames: 64,
		},
		PeerAddr:  netip.AddrPortFrom(hostIP, 5004),
		LocalAddr: guestIP,
		Called:    true,
	}
	if got := guest.history()[0].session; got != want {
		t.Errorf("guest: got  %+v\nwant %+v", got, want)
	}
	want.Agreement = proto.Agreement{
		Send: stereo, Receive: mono, LocalSSRC: want.Agreement.PeerSSRC, PeerSSRC: want.Agreement.LocalSSRC,
		PeerPort: 5006, PeerName: "lab", PeerRole: proto.Guest, PeerSends: 1, PeerReceives: 2, PeerPacketFrames: 32,
	}
	// The guest dialled from the address it listens on.
	want.PeerAddr, want.LocalAddr, want.Called = netip.AddrPortFrom(guestIP, 5006), hostIP, false
	if got := host.history()[0].session; got != want {
		t.Errorf("host: got  %+v\nwant %+v", got, want)
	}
}

func TestKilledCallerComesBackAndReplacesItsSession(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := start(t, proto.Host, hostAddr, nobody)
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	first := waitTogether(t, guest, host)
	guest.kill()
	if !host.knows(first) {
		t.Fatal("the host cannot have known")
	}
	guest = start(t, proto.Guest, guestAddr, hostAddr)
	second := waitTogether(t, guest, host)
	if events := host.history(); len(events) != 3 || events[1] != (event{id: first, reason: "replaced"}) || events[2].id != second {
		t.Errorf("host: %+v", events)
	}
}

func TestKilledAnswererComesBackAndIsFoundByCheck(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := start(t, proto.Host, hostAddr, nobody)
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	first := waitTogether(t, guest, host)
	host.kill()
	host = start(t, proto.Host, hostAddr, nobody)
	guest.Check()
	if waitTogether(t, guest, host) == first {
		t.Error("the same session")
	}
	if reason := guest.lastDown(); reason != "the peer no longer knows the session" {
		t.Errorf("reason %q", reason)
	}
}

func TestEitherRestartsWhenBothCall(t *testing.T) {
	for _, killed := range []proto.Role{proto.Guest, proto.Host} {
		t.Run(string(killed), func(t *testing.T) {
			guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
			guest := start(t, proto.Guest, guestAddr, hostAddr)
			host := start(t, proto.Host, hostAddr, guestAddr)
			first := waitTogether(t, guest, host)
			if killed == proto.Guest {
				guest.kill()
				guest = start(t, proto.Guest, guestAddr, hostAddr)
			} else {
				host.kill()
				host = start(t, proto.Host, hostAddr, guestAddr)
			}
			if waitTogether(t, guest, host) == first {
				t.Error("the same session")
			}
		})
	}
}

func TestStoppedEndHangsUp(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := start(t, proto.Host, hostAddr, nobody)
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	id := waitTogether(t, guest, host)
	guest.stop()
	if host.knows(id) {
		t.Error("the host still has the session when the guest is gone")
	}
	eventually(t, "Down at the host", func() bool { return host.lastDown() == "the peer hung up" })
	if reason := guest.lastDown(); reason != "closed" {
		t.Errorf("guest: %q", reason)
	}
	if host.Status().State != Idle {
		t.Errorf("host: %+v", host.Status())
	}
}

func TestPeerThatStopsIsNotCalledBackIntoASession(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := start(t, proto.Host, hostAddr, guestAddr)
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	waitTogether(t, guest, host)
	guest.stop()
	waitError(t, host, "peer "+guestAddr.String()+": connection refused")
	if _, up := host.Current(); up {
		t.Error("a session with an end that is gone")
	}
}

func TestGlareEndsInOneSessionEveryTime(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	host := start(t, proto.Host, hostAddr, guestAddr)
	waitTogether(t, guest, host)
	for round := range 100 {
		var ready, dropped sync.WaitGroup
		ready.Add(2)
		dropped.Add(2)
		for _, e := range []*end{guest, host} {
			go func() {
				defer dropped.Done()
				e.Endpoint.mu.Lock()
				e.pace.reset() // as after a long session: both call at once
				e.Endpoint.mu.Unlock()
				ready.Done()
				ready.Wait()
				e.Drop("test")
			}()
		}
		dropped.Wait()
		id := waitTogether(t, guest, host)
		if round%10 == 0 { // and it stays
			time.Sleep(5 * time.Millisecond)
			if !guest.knows(id) || !host.knows(id) {
				t.Fatalf("round %d: the session did not stay", round)
			}
		}
	}
}

func TestRenegotiationFromEitherSide(t *testing.T) {
	for _, c := range []struct {
		name                  string
		guestCalls, hostCalls bool
	}{{"guest calls", true, false}, {"host calls", false, true}, {"both call", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
			toHost, toGuest := nobody, nobody
			if c.guestCalls {
				toHost = hostAddr
			}
			if c.hostCalls {
				toGuest = guestAddr
			}
			guest := start(t, proto.Guest, guestAddr, toHost)
			host := start(t, proto.Host, hostAddr, toGuest)
			waitTogether(t, guest, host)
			guest.change(func(d *proto.Description) { d.SendChannels = 1 })
			guest.Renegotiate()
			if !c.guestCalls {
				host.Check() // its media have stopped
			}
			waitTogether(t, guest, host)
			g, _ := guest.Current()
			h, _ := host.Current()
			if g.Agreement.Send.Channels != 1 || h.Agreement.Receive.Channels != 1 {
				t.Errorf("guest sends %v, host receives %v", g.Agreement.Send, h.Agreement.Receive)
			}
			if reason := guest.lastDown(); reason != "the local audio server changed" {
				t.Errorf("reason %q", reason)
			}
		})
	}
}

func TestRateThatNoLongerFitsEndsTheSessionAtBothEnds(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	host := start(t, proto.Host, hostAddr, nobody)
	waitTogether(t, guest, host)
	guest.change(func(d *proto.Description) { d.RateHz = 44100 })
	guest.Renegotiate()
	waitError(t, guest, "refused: the guest runs at 44100 Hz, the host at 48000 Hz: set both audio servers to the same rate")
	eventually(t, "Down at the host", func() bool { return host.lastDown() == "the peer changed and no longer fits" })
	waitError(t, host, "refused a call from "+guestIP.String()+": the guest runs at 44100 Hz")

	host.change(func(d *proto.Description) { d.RateHz = 44100 })
	host.Renegotiate()
	waitTogether(t, guest, host)
}

func TestDropCallsAgain(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	host := start(t, proto.Host, hostAddr, nobody)
	first := waitTogether(t, guest, host)
	guest.Drop("no media for 1 s")
	if waitTogether(t, guest, host) == first {
		t.Error("the same session")
	}
	if reason := guest.lastDown(); reason != "no media for 1 s" {
		t.Errorf("reason %q", reason)
	}
	host.Drop("no media for 1 s") // it cannot call
	if host.Status().State != Idle {
		t.Errorf("host: %+v", host.Status())
	}
	guest.Check()
	waitTogether(t, guest, host)
}

func TestHandlerMayCallTheEndpoint(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	guest := newEnd(t, proto.Guest, guestAddr, hostAddr)
	ups := 0
	guest.onUp = func(Session) {
		if ups++; ups == 1 {
			guest.Drop("the core refused the plan")
			guest.Current()
			guest.Status()
		}
	}
	guest.run()
	host := start(t, proto.Host, hostAddr, nobody)
	eventually(t, "a second session", func() bool { return len(guest.history()) == 3 && together(guest, host) })
}

func TestSlowHandlerMissesSessionsButNotTheirOrder(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := newEnd(t, proto.Host, hostAddr, nobody)
	held := make(chan struct{})
	host.onUp = func(Session) { <-held }
	host.run()
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	for range 3 {
		eventually(t, "a session", func() bool { s, up := guest.Current(); return up && host.knows(s.ID) })
		guest.Drop("test")
	}
	close(held)
	waitTogether(t, guest, host)
	if n := len(host.history()); n > 5 {
		t.Errorf("%d events", n)
	}
}

func TestSecondGuestIsToldWhoIsConnected(t *testing.T) {
	hostAddr := freeAddr(t, hostIP)
	host := start(t, proto.Host, hostAddr, nobody)
	guest := start(t, proto.Guest, freeAddr(t, guestIP), hostAddr)
	id := waitTogether(t, guest, host)
	other := newEnd(t, proto.Guest, freeAddr(t, netip.MustParseAddr("127.0.0.73")), hostAddr)
	other.local = describe(proto.Guest, "studio")
	other.run()
	waitError(t, other, `refused: already connected to the guest "lab"`)
	if !guest.knows(id) || !host.knows(id) {
		t.Error("the session suffered")
	}
	guest.stop()
	waitTogether(t, other, host) // it never stopped trying
}

func TestManyEndsOfTheSameNameDoNotSpin(t *testing.T) {
	// Two guests by one name take the host from each other. That is wrong of
	// the user, and must not become thousands of sessions a second.
	hostAddr := freeAddr(t, hostIP)
	host := start(t, proto.Host, hostAddr, nobody)
	a := start(t, proto.Guest, freeAddr(t, guestIP), hostAddr)
	b := start(t, proto.Guest, freeAddr(t, netip.MustParseAddr("127.0.0.73")), hostAddr)
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); time.Sleep(time.Millisecond) {
		a.Check()
		b.Check()
	}
	// 20 ms doubling to 250 ms, shortened by a half at most: 10, 20, 40, 80,
	// then 125 each: at most 7 calls by each end.
	if n := len(host.history()); n > 2*2*8 {
		t.Errorf("%d events in half a second", n)
	}
}

func TestLogSaysAnErrorOnce(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	guest := newEnd(t, proto.Guest, guestAddr, hostAddr)
	guest.absent = errAbsent
	guest.run()
	eventually(t, "a few attempts", func() bool { return guest.Status().Attempts >= 3 })
	if status := guest.Status(); status.State != Calling || status.LastError != errAbsent.Error() {
		t.Errorf("status %+v", status)
	}
	guest.setAbsent(nil)
	waitError(t, guest, "connection refused")
	attempts := guest.Status().Attempts
	eventually(t, "a few more attempts", func() bool { return guest.Status().Attempts >= attempts+3 })
	lines := guest.log() // who has no audio server says so itself
	if len(lines) != 1 || !strings.Contains(lines[0], "connection refused") {
		t.Errorf("log: %q", lines)
	}
	host := start(t, proto.Host, hostAddr, nobody)
	waitTogether(t, guest, host)
	if status := guest.Status(); status != (Status{State: Up}) {
		t.Errorf("status %+v", status)
	}
}

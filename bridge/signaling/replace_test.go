package signaling

import (
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"archibald-bridge/proto"
)

// caught is a host in a session with a guest, whose media flow or not.
func caught(t *testing.T, flows bool) (host *end, id string) {
	t.Helper()
	host = newEnd(t, proto.Host, freeAddr(t, hostIP), nobody)
	host.config.Live = func(string) bool { return flows }
	id, _, err := host.answer(describe(proto.Guest, "lab"), call{from: netip.AddrPortFrom(guestIP, 40000), at: hostIP})
	if err != nil {
		t.Fatal(err)
	}
	return host, id
}

func TestWhoMayReplaceALiveSession(t *testing.T) {
	elsewhere := netip.MustParseAddrPort("192.168.122.66:40000")
	same := netip.AddrPortFrom(guestIP, 40001)
	for name, c := range map[string]struct {
		flows bool
		call  call
		name  string
		taken bool
	}{
		"another address":                   {true, call{from: elsewhere}, "lab", false},
		"the same address":                  {true, call{from: same}, "lab", false}, // another program there
		"a guessed session":                 {true, call{from: same, replaces: strings.Repeat("0", 32)}, "lab", false},
		"who knows the session":             {true, call{from: same, replaces: "ID"}, "lab", true},
		"who knows it, from a new address":  {true, call{from: elsewhere, replaces: "ID"}, "lab", true},
		"who proves the secret":             {true, call{from: elsewhere, proven: true}, "lab", true},
		"another name, with the secret":     {true, call{from: elsewhere, proven: true}, "studio", false},
		"silent: its peer, killed and back": {false, call{from: same}, "lab", true},
		"silent: its peer, moved":           {false, call{from: elsewhere}, "lab", true},
		"silent: another name":              {false, call{from: elsewhere}, "studio", false},
	} {
		t.Run(name, func(t *testing.T) {
			host, id := caught(t, c.flows)
			if c.call.replaces == "ID" {
				c.call.replaces = id
			}
			offer := describe(proto.Guest, c.name)
			offer.Revision = 1 << 62
			_, _, err := host.answer(offer, c.call)
			if (err == nil) != c.taken || host.knows(id) == c.taken {
				t.Errorf("%v; the old session is up: %v", err, host.knows(id))
			}
			if r := new(refusal); !c.taken && (!errors.As(err, &r) || !strings.HasPrefix(r.text, "already connected to the guest \"lab\"")) {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

func TestARefusedOfferEndsNoSession(t *testing.T) {
	for name, change := range map[string]func(*proto.Description){
		"another rate":    func(d *proto.Description) { d.RateHz = 44100 },
		"another version": func(d *proto.Description) { d.Version++ },
		"the same role":   func(d *proto.Description) { d.Role = proto.Host },
		"no channels":     func(d *proto.Description) { d.SendChannels, d.ReceiveChannels = 0, 0 },
	} {
		for _, flows := range []bool{true, false} {
			host, id := caught(t, flows)
			offer := describe(proto.Guest, "lab")
			change(&offer)
			if _, _, err := host.answer(offer, call{from: netip.AddrPortFrom(guestIP, 40001)}); err == nil {
				t.Errorf("%s: taken", name)
			}
			if !host.knows(id) {
				t.Errorf("%s, media flow %v: the session is over", name, flows)
			}
		}
	}
}

func TestAGuestThatWasKilledIsBackOnceItsOldSoundHasStopped(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := newEnd(t, proto.Host, hostAddr, nobody)
	var flows atomic.Bool
	host.config.Live = func(string) bool { return flows.Load() }
	host.run()
	guest := start(t, proto.Guest, guestAddr, hostAddr)
	first := waitTogether(t, guest, host)
	flows.Store(true)
	guest.kill()

	guest = start(t, proto.Guest, guestAddr, hostAddr)
	eventually(t, "calls", func() bool { return guest.Status().Attempts >= 2 })
	if text := guest.Status().LastError; text != "" {
		t.Errorf("at once it complains: %s", text)
	}
	if !host.knows(first) {
		t.Error("the old session was replaced while its media flowed")
	}
	waitError(t, guest, `refused: already connected to the guest "lab"`) // it goes on
	flows.Store(false)
	if waitTogether(t, guest, host) == first {
		t.Error("the same session")
	}
}

func TestEachSessionHasSSRCsOfItsOwn(t *testing.T) {
	guestAddr, hostAddr := freeAddr(t, guestIP), freeAddr(t, hostIP)
	host := newEnd(t, proto.Host, hostAddr, nobody)
	guest := newEnd(t, proto.Guest, guestAddr, hostAddr)
	host.ssrc, guest.ssrc = randomSSRC, randomSSRC
	host.run()
	guest.run()
	seen := map[uint32]bool{}
	for range 4 {
		waitTogether(t, guest, host)
		g, _ := guest.Current()
		h, _ := host.Current()
		if g.Agreement.LocalSSRC != h.Agreement.PeerSSRC || h.Agreement.LocalSSRC != g.Agreement.PeerSSRC {
			t.Fatalf("guest %+v\nhost %+v", g.Agreement, h.Agreement)
		}
		for _, ssrc := range []uint32{g.Agreement.LocalSSRC, h.Agreement.LocalSSRC} {
			if seen[ssrc] || ssrc == 0 || ssrc == proto.SSRC("lab", proto.Guest) || ssrc == proto.SSRC("lab", proto.Host) {
				t.Errorf("SSRC %x can be known", ssrc)
			}
			seen[ssrc] = true
		}
		guest.Drop("again")
	}
}

package session

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/proto"
)

// What translates addresses may stand before either end, and may give another port at
// any time.
func TestMediaFromAnotherPortMovesTheSender(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	v.up(agreed("a"))
	v.pass(time.Second)
	for n, port := range []uint16{50000, 50001} {
		seen := netip.AddrPortFrom(peerAddr.Addr(), port)
		v.core.calls, v.core.rtcpOut, v.core.source = nil, nil, seen
		v.pass(2 * time.Second)
		if n := count(v.core.calls, "start sender"); n != 1 || v.core.sender.To != seen {
			t.Errorf("%d new senders, to %v", n, v.core.sender.To)
		}
		if count(v.core.calls, "start receiver") != 0 {
			t.Error("the receiver was disturbed")
		}
		if n := len(v.reports()); n != 2 {
			t.Errorf("%d reports to the new address", n)
		}
		v.logged("the peer is heard from another port", n+1)
	}
}

// Of a peer that sends no sound, or none at present, the reports tell the port.
func TestReportsOfAPeerWithoutSoundMoveTheSender(t *testing.T) {
	for name, sends := range map[string]int{"never": 0, "not now": 2} {
		v := newVirtual(t)
		v.openAudio()
		s := agreed("a")
		s.Agreement.Receive.Channels = sends
		v.up(s)
		if sends > 0 {
			v.core.source = peerAddr // it did
			v.pass(2 * time.Second)
		}
		v.core.calls = nil
		seen := netip.AddrPortFrom(peerAddr.Addr(), 50000)
		for range 5 {
			v.peerSays(proto.Report{SSRC: peerSSRC})
			v.core.rtcpIn[0].addr = seen
			v.pass(time.Second)
		}
		if n := count(v.core.calls, "start sender"); n != 1 || v.core.sender.To != seen {
			t.Errorf("%s: %d new senders, to %v", name, n, v.core.sender.To)
		}
	}
}

// What comes instead of the peer's sound is looked at as long as that is missing.
func TestASilentPeerIsLookedAt(t *testing.T) {
	for name, change := range map[string][]func(*Settings){"a session": nil, "a static peer": {static}} {
		v := playing(t, change...)
		v.core.calls = nil
		v.core.packets = false
		v.pass(silentAfter - 2*tick)
		if n := count(v.core.calls, "look true"); n != 0 {
			t.Errorf("%s: looked while it may just be late", name)
		}
		v.pass(2 * time.Second)
		v.core.packets = true
		v.pass(2 * time.Second)
		looks := slices.DeleteFunc(slices.Clone(v.core.calls), func(c string) bool { return !strings.HasPrefix(c, "look") && c != "start receiver" })
		if got := strings.Join(looks, ", "); !strings.HasSuffix(got, "look true, look false") || count(looks, "look true") != 1 {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAPeerThatOnlyHearsIsHeard(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	s := agreed("a")
	s.Agreement.Receive.Channels = 0
	v.up(s)
	if want := fmt.Sprintf("accept RTCP %s %d", peerAddr.Addr(), peerSSRC); count(v.core.calls, want) != 1 {
		t.Errorf("calls %q, want %q", v.core.calls, want)
	}
}

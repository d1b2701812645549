package session

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

func static(c *Settings) {
	c.Static, c.Format = true, proto.L24
	c.Peer = Peer{Host: "192.0.2.7", Port: 5004}
	c.SendChannels, c.ReceiveChannels = 2, 1
}

func TestStaticPeerIsWhoeverSendsFirst(t *testing.T) {
	v := newVirtual(t, static)
	v.openAudio()
	to := netip.MustParseAddrPort("192.0.2.7:5004")
	wantSend := stream.SendPlan{Format: stream.Format{Encoding: stream.L24, RateHz: testRate, Channels: 2}, PayloadType: 97, PacketFrames: 64, SSRC: ourSSRC, To: to}
	wantReceive := stream.ReceivePlan{Format: stream.Format{Encoding: stream.L24, RateHz: testRate, Channels: 1}, GraphRateHz: testRate, PayloadType: 97, From: to.Addr()}
	if *v.core.sender != wantSend || *v.core.receiver != wantReceive {
		t.Errorf("sender %+v\nreceiver %+v", *v.core.sender, *v.core.receiver)
	}
	v.core.source = netip.MustParseAddrPort("192.0.2.7:40000")
	v.pass(time.Second)
	if v.core.sender.To != to {
		t.Errorf("sends to %v, and not where it was told to", v.core.sender.To)
	}
	if s := v.Status().Session; s.State != status.SessionStatic || s.Peer != to.String() {
		t.Errorf("%+v", s)
	}
}

func TestBothStreamsStartAnewWhenThePeersInterfaceIsAnotherOne(t *testing.T) {
	for name, change := range map[string][]func(*Settings){"a session": nil, "a static peer": {static}} {
		v := newVirtual(t, change...)
		v.Readdress() // as the interface is found
		v.openAudio()
		if change == nil {
			v.up(agreed("a"))
		}
		v.core.calls = nil
		v.pass(time.Second / 2)
		if n := count(v.core.calls, "start sender") + count(v.core.calls, "start receiver"); n != 0 {
			t.Errorf("%s: %d streams started, though nothing changed", name, n)
		}
		v.core.calls = nil
		v.Readdress()
		v.pass(time.Second / 2)
		if s, r := count(v.core.calls, "start sender"), count(v.core.calls, "start receiver"); s != 1 || r != 1 {
			t.Errorf("%s: %d senders, %d receivers, want one each", name, s, r)
		}
		v.pass(2 * time.Second) // silent
		v.core.calls = nil
		v.Readdress()
		v.pass(2 * tick)
		if count(v.core.calls, "look true") != 1 {
			t.Errorf("%s: what comes instead is not looked at any more: %q", name, v.core.calls)
		}
		v.core.packets, v.runs = true, true
		v.pass(2 * time.Second)
		if !v.streams.receive.Clock().Playing {
			t.Errorf("%s: no sound", name)
		}
	}
}

func TestStaticPeerMayComeBackFromAnotherPort(t *testing.T) {
	v := playing(t, static)
	learned := v.streams.receive.Clock().JitterFrames
	v.core.calls, v.core.packets = nil, false
	v.pass(10 * time.Second)
	if n := count(v.core.calls, "start receiver"); n != 1 {
		t.Errorf("the receiver was made again %d times, want once", n)
	}
	if v.measured().JitterFrames != learned || learned == 0 {
		t.Errorf("what was learned is forgotten: %d frames before", learned)
	}
	v.core.packets = true
	v.pass(2 * time.Second)
	v.logged("sound from the peer again", 1)
	if s := v.Status().Directions.Receive; s.State != status.DirectionRunning || s.LatencyMs.Bridge == 0 {
		t.Errorf("%+v", s)
	}
	v.core.packets = false
	v.pass(10 * time.Second)
	if n := count(v.core.calls, "start receiver"); n != 2 {
		t.Errorf("the receiver was made again %d times, want twice", n)
	}
}

func TestStaticPeerNotFoundIsLookedUpAgain(t *testing.T) {
	v := newVirtual(t, static, func(c *Settings) { c.Peer.Host = "tower"; c.Wait = time.Second })
	lookups, found := 0, []netip.Addr(nil)
	v.lookup = func(_ context.Context, _, host string) ([]netip.Addr, error) {
		lookups++
		if host != "tower" {
			t.Errorf("looked up %q", host)
		}
		if found == nil {
			return nil, errors.New("no such host")
		}
		return found, nil
	}
	v.openAudio()
	v.is(fault.ErrNeverReached, "peer tower:5004: not reached in 1s: never reached")
	v.pass(time.Minute)
	if lookups < 29 || lookups > 31 {
		t.Errorf("looked up %d times in a minute", lookups)
	}
	v.logged("peer not found", 1)
	if s := v.Status().Session; s.State != status.SessionWaiting || s.LastError != "no such host" {
		t.Errorf("%+v", s)
	}
	found = []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::ffff:192.0.2.3")}
	v.pass(lookupInterval + tick)
	if v.core.sender == nil || v.core.sender.To != netip.MustParseAddrPort("192.0.2.3:5004") {
		t.Fatalf("sender %+v; want IPv4 where there is a choice", v.core.sender)
	}
	if s := v.Status().Session; s.LastError != "" || s.State != status.SessionStatic {
		t.Errorf("%+v", s)
	}
	before := lookups
	v.pass(time.Minute)
	if lookups != before {
		t.Error("looked up although it is known")
	}
	found = found[:1] // it moved while the audio server was away
	v.audioEvent(audio.Lost)
	v.pass(100 * time.Millisecond)
	if v.core.sender == nil || v.core.sender.To != netip.MustParseAddrPort("[2001:db8::1]:5004") {
		t.Errorf("sender %+v", v.core.sender)
	}
}

func TestStaticPeerThatIsNoLongerFoundIsLookedUpUntilItIs(t *testing.T) {
	v := newVirtual(t, static, func(c *Settings) { c.Peer.Host = "tower" })
	var failure error
	v.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{peerAddr.Addr()}, failure
	}
	v.openAudio()
	failure = errors.New("no such host")
	v.audioEvent(audio.Lost)
	v.pass(10 * time.Second)
	if v.core.sender != nil || v.Status().Session.State != status.SessionWaiting {
		t.Errorf("sender %+v, session %+v", v.core.sender, v.Status().Session)
	}
	failure = nil
	v.pass(lookupInterval + tick)
	if v.core.sender == nil {
		t.Error("not sending")
	}
}

func TestStaticPeerWithoutAnAddress(t *testing.T) {
	v := newVirtual(t, static, func(c *Settings) { c.Peer.Host = "tower" })
	v.lookup = func(context.Context, string, string) ([]netip.Addr, error) { return nil, nil }
	v.openAudio()
	if v.core.sender != nil || v.peerError != "no address" {
		t.Errorf("sender %+v, %q", v.core.sender, v.peerError)
	}
}

func TestStaticRateChangeBeginsAnew(t *testing.T) {
	v := playing(t, static)
	v.audio.graph.RateHz = 44100
	v.audioEvent(audio.Changed)
	if v.core.sender == nil || v.core.sender.Format.RateHz != 44100 || v.core.receiver.Format.RateHz != 44100 {
		t.Errorf("sender %+v, receiver %+v", v.core.sender, v.core.receiver)
	}
}

func TestStaticReportsGoToThePortAboveTheSound(t *testing.T) {
	for port, want := range map[int]string{5004: "192.0.2.7:5005", 65535: ""} {
		v := playing(t, static, func(c *Settings) { c.Peer.Port = port })
		v.core.rtcpOut = nil
		v.pass(3 * time.Second)
		v.sayBye("over")
		if (len(v.core.rtcpOut) == 0) != (want == "") {
			t.Errorf("port %d: %d reports", port, len(v.core.rtcpOut))
		}
		for _, d := range v.core.rtcpOut {
			if d.addr.String() != want {
				t.Errorf("port %d: a report to %s: receivers would take it for sound", port, d.addr)
			}
		}
	}
}

func TestStaticPeersGoodbyeChangesNothing(t *testing.T) {
	v := playing(t, static)
	v.core.rtcpIn = nil
	v.peerSays(proto.Report{SSRC: 99, Bye: true})
	v.core.rtcpIn[0].addr = netip.MustParseAddrPort("192.0.2.7:5005")
	v.pass(time.Second)
	if v.core.sender == nil {
		t.Error("not sending")
	}
	for _, r := range v.reports() {
		if len(r.Receptions) != 0 {
			t.Errorf("reports on a source that nobody agreed on: %+v", r)
		}
	}
}

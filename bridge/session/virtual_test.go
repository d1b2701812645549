package session

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/proto"
)

// virtual is an end whose parts are all fakes, on virtual time.
type virtual struct {
	*End
	t     *testing.T
	core  *fakeCore
	audio *fakeAudio
	quiet *fakeMachine
	peer  *fakeEndpoint
	time  *fakeTime
	log   *logLines
	beat  int64 // when the next period begins
	runs  bool  // the graph runs, so periods pass
}

// testSettings are those of a guest for which nothing was asked.
func testSettings() Settings {
	return Settings{
		Role: proto.Guest, Listen: netip.MustParseAddrPort("0.0.0.0:4713"), Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		SendChannels: 2, ReceiveChannels: 2, Bitrate: 128000, MulticastTTL: 1,
	}
}

func newVirtual(t *testing.T, change ...func(*Settings)) *virtual {
	return newVirtualOf(t, func(*Parts) {}, change...)
}

// newVirtualOf makes it of other parts.
func newVirtualOf(t *testing.T, parts func(*Parts), change ...func(*Settings)) *virtual {
	v := &virtual{
		t: t, core: &fakeCore{ratio: 1}, audio: newFakeAudio(), quiet: &fakeMachine{}, peer: &fakeEndpoint{},
		time: &fakeTime{ns: 1000e9}, log: &logLines{}, beat: 1000e9,
	}
	settings := testSettings()
	for _, c := range change {
		c(&settings)
	}
	made := Parts{Core: v.core, Audio: v.audio, Machine: v.quiet, Server: "JACK server lab", Log: v.log.logger(), Memory: forgetful{}}
	parts(&made)
	v.End = New(settings, made)
	v.clock, v.core.time, v.startedNs = v.time, v.time, v.time.ns
	v.wasTried()
	if !settings.Static {
		v.signaling = v.peer
	}
	return v
}

// agreed is a session as signaling delivers it.
func agreed(id string) signaling.Session {
	format := proto.Format{Encoding: proto.F32, RateHz: testRate, Channels: 2}
	return signaling.Session{
		ID: id, PeerAddr: peerAddr,
		Agreement: proto.Agreement{
			Send: format, Receive: format, LocalSSRC: proto.SSRC("", proto.Guest), PeerSSRC: proto.SSRC("", proto.Host),
			PeerName: "", PeerRole: proto.Host, PeerSends: 2, PeerReceives: 2, PeerPacketFrames: 48,
		},
	}
}

func (v *virtual) up(s signaling.Session) {
	v.peer.session = &s
	v.peerChanged(peerEvent{session: &s})
}

func (v *virtual) down(id string) { v.peerChanged(peerEvent{id: id, reason: "test"}) }

// pass lets time go by in ticks.
func (v *virtual) pass(d time.Duration) {
	for end := v.time.ns + int64(d); v.time.ns < end; {
		v.time.ns += int64(tick)
		for ; v.runs && v.beat <= v.time.ns; v.beat += testPeriod * int64(time.Second) / testRate {
			v.core.flow(v.beat)
		}
		v.tick()
	}
}

// playing makes an end that has a session and sound in both directions.
func playing(t *testing.T, change ...func(*Settings)) *virtual {
	v := newVirtual(t, change...)
	v.openAudio()
	if !v.settings.Static {
		v.up(agreed("a"))
	}
	v.runs, v.core.packets = true, true
	v.pass(2 * time.Second)
	if !v.streams.receive.Clock().Playing {
		t.Fatalf("no sound: %+v", v.streams.receive.Clock())
	}
	return v
}

// measured is the state of the servo now.
func (v *virtual) measured() clock.Status {
	v.streams.receive.Measure()
	return v.streams.receive.Clock()
}

// peerSays hands the core a report of the peer.
func (v *virtual) peerSays(r proto.Report) {
	v.t.Helper()
	r.CNAME = "peer"
	data, err := r.Marshal()
	if err != nil {
		v.t.Fatal(err)
	}
	v.core.rtcpIn = append(v.core.rtcpIn, datagram{data, peerAddr, v.time.ns})
}

// reports returns the RTCP written so far, and forgets it.
func (v *virtual) reports() []proto.Report {
	v.t.Helper()
	var all []proto.Report
	for _, d := range v.core.rtcpOut {
		r, err := proto.ParseRTCP(d.data)
		if err != nil || d.addr != v.reportsTo() {
			v.t.Fatalf("RTCP to %v: %v", d.addr, err)
		}
		all = append(all, r)
	}
	v.core.rtcpOut = nil
	return all
}

func (v *virtual) logged(part string, want int) {
	v.t.Helper()
	if n := v.log.count(part); n != want {
		v.t.Errorf("the log says %q %d times, want %d:\n%s", part, n, want, v.log.text.String())
	}
}

func (v *virtual) calledPeer(want ...string) {
	v.t.Helper()
	if fmt.Sprint(v.peer.calls) != fmt.Sprint(want) {
		v.t.Errorf("signaling was told %q, want %q", v.peer.calls, want)
	}
	v.peer.calls = nil
}

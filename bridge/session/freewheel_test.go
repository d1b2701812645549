package session

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// freewheels lets the graph leave real time, with no cycle for the core, or come back.
func (v *virtual) freewheels(on bool) {
	v.audio.set(func(a *fakeAudio) { a.graph.Freewheels = on })
	v.audioEvent(audio.Changed)
	v.runs = !on
	if !on {
		v.beat = v.time.ns
	}
}

// hearing lets time go by with a report of the peer every second.
func (v *virtual) hearing(d time.Duration) {
	for ; d > 0; d -= time.Second {
		v.peerSays(proto.Report{SSRC: proto.SSRC("", proto.Host)})
		v.pass(time.Second)
	}
}

func TestAFreewheelingGraphSendsAndPlaysNothingAndKeepsTheSession(t *testing.T) {
	v := playing(t)
	v.reports()
	v.core.calls, v.peer.calls = nil, nil
	before := v.core.Counters()
	v.freewheels(true)
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("a stream is left in the core")
	}
	v.hearing(20 * time.Second)
	v.wrong("an export is no fault")
	s := v.Status()
	if s.Audio.State != status.AudioFreewheel || s.Session.State != status.SessionUp {
		t.Errorf("audio %q, session %q; want freewheel and up", s.Audio.State, s.Session.State)
	}
	if s.Directions.Receive.LatencyMs.Bridge != 0 || s.Directions.Receive.RatioPPM != 0 {
		t.Errorf("a latency of %v and %v ppm by a clock that stands", s.Directions.Receive.LatencyMs.Bridge, s.Directions.Receive.RatioPPM)
	}
	if n := len(v.reports()); n < 19 {
		t.Errorf("%d reports to the peer in 20 s", n)
	}
	v.calledPeer()
	v.logged("no sound from the peer", 0)
	v.logged("freewheels", 1)
	if after := v.core.Counters().Received; after.Packets != before.Received.Packets {
		t.Errorf("%d packets counted", after.Packets-before.Received.Packets)
	}

	v.freewheels(false)
	v.pass(2 * time.Second)
	s = v.Status()
	if s.Audio.State != status.AudioRunning || s.Directions.Receive.State != status.DirectionRunning || !v.streams.receive.Clock().Playing {
		t.Errorf("audio %q, receive %q, playing %v", s.Audio.State, s.Directions.Receive.State, v.streams.receive.Clock().Playing)
	}
	v.logged("back in real time", 1)
	v.logged("session over", 0)
	v.logged("audio server changed", 0)
	v.logged("level=WARN", 0)
	if n := count(v.core.calls, "start sender"); n != 1 {
		t.Errorf("the sender was started %d times", n)
	}
}

// The last cycle before an export was not looked at yet. A quarter of an hour later it says
// nothing about the peer.
func TestWhatAnExportLeftBehindIsNoSilenceOfThePeer(t *testing.T) {
	v := playing(t)
	v.core.flow(v.beat)
	v.freewheels(true)
	v.hearing(15 * time.Minute)
	v.freewheels(false)
	v.runs = false // the first cycle takes longer than a tick
	v.pass(tick)
	if !v.live("a") {
		t.Error("another may take the session over")
	}
	v.runs, v.beat = true, v.time.ns
	v.pass(2 * time.Second)
	v.logged("no sound from the peer", 0)
	if !v.streams.receive.Clock().Playing {
		t.Errorf("no sound: %+v", v.streams.receive.Clock())
	}
}

func TestAPeerThatDiesWhileTheGraphFreewheelsIsNoticed(t *testing.T) {
	v := playing(t)
	v.freewheels(true)
	v.pass(forgetAfter + 2*time.Second)
	if !slices.Contains(v.peer.calls, "drop: nothing from the peer for 5s") {
		t.Errorf("signaling was told %q", v.peer.calls)
	}
}

func TestASessionThatBeginsWhileTheGraphFreewheelsHasSoundAfterwards(t *testing.T) {
	for name, begin := range map[string]func(*virtual){
		"the first": func(v *virtual) { v.up(agreed("a")) },
		"another":   func(v *virtual) { v.up(agreed("a")); v.down("a"); v.up(agreed("b")) },
		"a new one": func(v *virtual) { v.up(agreed("a")); v.up(agreed("b")) },
		"the period": func(v *virtual) {
			v.up(agreed("a"))
			v.audio.graph.PeriodFrames = 2 * testPeriod
			v.audioEvent(audio.Changed)
		},
		"the address": func(v *virtual) {
			v.up(agreed("a"))
			v.core.source = netip.MustParseAddrPort("192.0.2.7:9")
			v.pass(tick)
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVirtual(t)
			v.openAudio()
			v.freewheels(true)
			begin(v)
			v.pass(time.Second)
			if n := count(v.core.calls, "start sender") + count(v.core.calls, "start receiver"); n != 0 {
				t.Fatalf("%d streams began while the graph freewheeled", n)
			}
			v.freewheels(false)
			v.core.packets = true
			v.pass(2 * time.Second)
			if v.core.sender == nil || !v.streams.receive.Clock().Playing {
				t.Errorf("no sound afterwards: %+v", v.streams.receive.Clock())
			}
		})
	}
}

func TestAStaticEndFreewheelsToo(t *testing.T) {
	v := playing(t, func(c *Settings) {
		c.Static, c.Format, c.Peer = true, proto.L16, Peer{Host: peerAddr.Addr().String(), Port: int(peerAddr.Port())}
	})
	v.freewheels(true)
	v.pass(10 * time.Second)
	v.logged("no sound from the peer", 0)
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("a stream is left in the core")
	}
	v.freewheels(false)
	v.pass(2 * time.Second)
	if v.core.sender == nil || !v.streams.receive.Clock().Playing {
		t.Error("no sound afterwards")
	}
}

func TestThePeerIsToldAtOnceThatTheGraphFreewheels(t *testing.T) {
	v := playing(t)
	v.reports()
	v.freewheels(true)
	if told := v.reports(); len(told) != 1 || !told[0].Paused {
		t.Errorf("reports %+v, want one that says so", told)
	}
	v.hearing(3 * time.Second)
	for _, r := range v.reports() {
		if !r.Paused {
			t.Errorf("a report in between does not say so: %+v", r)
		}
	}
	v.freewheels(false)
	v.hearing(3 * time.Second)
	told := v.reports()
	if len(told) == 0 || told[len(told)-1].Paused {
		t.Errorf("the pause does not end: %+v", told)
	}
}

// The other end of an export: it plays silence, conceals nothing, blames nobody.
func TestAPeerThatFreewheelsIsSilentAndNotMissed(t *testing.T) {
	v := playing(t)
	v.calledPeer()
	paused := proto.Report{SSRC: proto.SSRC("", proto.Host), Paused: true}
	v.core.packets = false
	v.peerSays(paused)
	v.pass(100 * time.Millisecond)
	if v.core.playing {
		t.Error("the core goes on playing, and so conceals")
	}
	for range 20 {
		v.peerSays(paused)
		v.pass(time.Second)
	}
	if s := v.Status(); s.Session.State != status.SessionUp || s.Directions.Receive.State != status.DirectionSilent || v.core.playing {
		t.Errorf("session %q, receive %q, playing %v", s.Session.State, s.Directions.Receive.State, v.core.playing)
	}
	v.calledPeer()
	v.logged("level=WARN", 0)
	v.logged("the peer's audio server freewheels", 1)
	if problems := v.Status().Problems; len(problems) != 1 || problems[0].Code != health.PeerFreewheels {
		t.Errorf("problems %+v", problems)
	}

	v.core.packets = true
	v.pass(2 * time.Second)
	if s := v.Status(); s.Directions.Receive.State != status.DirectionRunning || !v.core.playing {
		t.Errorf("receive %q, playing %v after its end", s.Directions.Receive.State, v.core.playing)
	}
	v.logged("sound from the peer again", 1)
	v.logged("level=WARN", 0)
	if problems := v.Status().Problems; len(problems) != 0 {
		t.Errorf("problems afterwards: %+v", problems)
	}
}

func TestAPeerWhosePauseEndsWithoutSoundIsMissed(t *testing.T) {
	v := playing(t)
	v.core.packets = false
	v.peerSays(proto.Report{SSRC: proto.SSRC("", proto.Host), Paused: true})
	v.hearing(5 * time.Second) // its reports say no more that it is paused
	if !slices.Contains(v.peer.calls, "check") {
		t.Errorf("signaling was told %q, want to ask the peer", v.peer.calls)
	}
}

func TestAPeerThatDiesWhileItFreewheelsIsNoticed(t *testing.T) {
	v := playing(t)
	v.core.packets = false
	v.peerSays(proto.Report{SSRC: proto.SSRC("", proto.Host), Paused: true})
	v.pass(forgetAfter + 2*time.Second)
	if !slices.Contains(v.peer.calls, "drop: nothing from the peer for 5s") {
		t.Errorf("signaling was told %q", v.peer.calls)
	}
}

package session

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/receive"
	"archibald-bridge/bridge/report"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

func TestPlansAreAsAgreed(t *testing.T) {
	v := newVirtual(t)
	s := agreed("a")
	s.Agreement.Send.Channels, s.Agreement.Receive.Channels = 1, 6
	s.LocalAddr = netip.MustParseAddr("192.0.2.9")
	v.up(s) // the audio server is not there yet
	if len(v.core.calls) != 0 {
		t.Fatalf("the core was told %q", v.core.calls)
	}
	v.openAudio()
	wantSend := stream.SendPlan{Format: codec.FormatOf(s.Agreement.Send), PayloadType: s.Agreement.Send.Encoding.PayloadType(), PacketFrames: 64, SSRC: s.Agreement.LocalSSRC, To: peerAddr, Source: s.LocalAddr}
	wantReceive := stream.ReceivePlan{Format: codec.FormatOf(s.Agreement.Receive), GraphRateHz: testRate, PayloadType: s.Agreement.Receive.Encoding.PayloadType(), SSRC: s.Agreement.PeerSSRC, From: peerAddr.Addr()}
	if *v.core.sender != wantSend || *v.core.receiver != wantReceive {
		t.Errorf("sender %+v\nreceiver %+v", *v.core.sender, *v.core.receiver)
	}
	if count(v.audio.called(), "active true") != 1 {
		t.Errorf("calls %q", v.audio.called())
	}
}

func TestDirectionWithoutChannelsIsNotStarted(t *testing.T) {
	for _, sends := range []bool{true, false} {
		v := newVirtual(t)
		v.openAudio()
		s := agreed("a")
		if sends {
			s.Agreement.Receive.Channels = 0
		} else {
			s.Agreement.Send.Channels = 0
		}
		v.up(s)
		v.pass(time.Second)
		if (v.core.sender != nil) != sends || (v.core.receiver != nil) == sends {
			t.Errorf("sends %v: sender %+v, receiver %+v", sends, v.core.sender, v.core.receiver)
		}
		d := v.Status().Directions
		if (d.Send.State == status.DirectionIdle) == sends || (d.Receive.State == status.DirectionIdle) != sends {
			t.Errorf("sends %v: %s, %s", sends, d.Send.State, d.Receive.State)
		}
	}
}

func TestSessionThatIsReplacedNeverLetsGoOfTheGraph(t *testing.T) {
	v := playing(t)
	v.audio.calls = nil
	v.down("a")
	s := agreed("b")
	s.PeerAddr = netip.MustParseAddrPort("192.0.2.9:4713")
	v.up(s)
	v.pass(time.Minute)
	if got := v.audio.called(); count(got, "active false") != 0 || count(got, "active true") != 1 {
		t.Errorf("calls %q", got)
	}
	if v.core.sender.To != s.PeerAddr || v.core.receiver.From != s.PeerAddr.Addr() {
		t.Errorf("sender %+v, receiver %+v", v.core.sender, v.core.receiver)
	}
}

func TestEndOfAnotherSessionIsNotOurs(t *testing.T) {
	v := playing(t)
	v.down("other")
	if v.session == nil || v.core.sender == nil {
		t.Error("the session was ended")
	}
}

func TestGraphIsLetGoOfOnceAfterTenSecondsWithoutASession(t *testing.T) {
	v := playing(t)
	v.down("a")
	v.pass(idleAfter - tick)
	if count(v.audio.called(), "active false") != 0 {
		t.Error("too soon")
	}
	v.pass(time.Minute)
	if n := count(v.audio.called(), "active false"); n != 1 {
		t.Errorf("%d times", n)
	}
	v.up(agreed("b"))
	if n := count(v.audio.called(), "active true"); n != 2 {
		t.Errorf("active %d times, want 2", n)
	}
}

func TestMissingMediaIsAskedAboutToldAndTakenAsTheEnd(t *testing.T) {
	v := playing(t)
	v.core.packets = false
	v.pass(checkAfter - 2*tick)
	v.calledPeer()
	v.pass(3 * tick)
	v.calledPeer("check")
	v.pass(silentAfter - checkAfter - 3*tick)
	v.logged("no sound from the peer", 0)
	v.pass(500 * time.Millisecond)
	v.logged("no sound from the peer", 1)
	v.peer.calls = nil
	if s := v.Status().Directions.Receive.State; s != status.DirectionSilent {
		t.Errorf("state %s", s)
	}
	v.core.packets = true
	v.pass(time.Second)
	v.logged("sound from the peer again", 1)
	v.calledPeer()
	if s := v.Status().Directions.Receive.State; s != status.DirectionRunning {
		t.Errorf("state %s", s)
	}

	v.core.packets = false
	v.pass(forgetAfter - 2*tick)
	if slices.Contains(v.peer.calls, "drop: nothing from the peer for 5s") {
		t.Fatal("dropped too soon")
	}
	v.peer.calls = nil
	v.pass(time.Second)
	v.calledPeer("drop: nothing from the peer for 5s") // once
	if v.core.sender != nil {
		t.Error("still sending")
	}
	v.logged("no sound from the peer", 1) // a minute has not passed
	v.logged("sound from the peer again", 1)
}

func TestPeerThatReportsButIsSilentIsKept(t *testing.T) {
	v := playing(t)
	v.core.packets = false
	for range 20 {
		v.peerSays(proto.Report{SSRC: proto.SSRC("", proto.Host)})
		v.pass(time.Second)
	}
	if count(v.peer.calls, "check") < 30 || len(v.peer.calls) != count(v.peer.calls, "check") {
		t.Errorf("signaling was told %q", v.peer.calls)
	}
}

func TestEndThatOnlySendsNoticesAPeerThatIsGone(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	s := agreed("a")
	s.Agreement.Receive.Channels = 0
	v.up(s)
	for range 10 {
		v.peerSays(proto.Report{SSRC: s.Agreement.PeerSSRC})
		v.pass(time.Second)
	}
	v.calledPeer()
	v.pass(report.Interval + checkAfter)
	if !slices.Contains(v.peer.calls, "check") {
		t.Error("not asked")
	}
	v.peer.calls = nil
	v.pass(5 * time.Second)
	if !slices.Contains(v.peer.calls, "drop: nothing from the peer for 5s") {
		t.Errorf("signaling was told %q", v.peer.calls)
	}
	v.logged("no sound", 0)
}

func TestSessionThatReplacedASilentOneIsNotDropped(t *testing.T) {
	v := playing(t)
	v.core.packets = false
	v.pass(forgetAfter - 100*time.Millisecond)
	next := agreed("b")
	v.peer.session, v.peer.calls = &next, nil // the end has not been told yet
	v.pass(time.Second)
	if slices.ContainsFunc(v.peer.calls, func(c string) bool { return c != "check" }) {
		t.Errorf("signaling was told %q", v.peer.calls)
	}
	v.down("a")
	v.up(next)
	if v.core.sender == nil {
		t.Error("not sending")
	}
}

// When a latency has moved is tested where that is decided, in bridge/report.
func TestLatencyIsPublishedOnceAndAgainWhenItMoved(t *testing.T) {
	v := playing(t)
	calls := v.latencies()
	if len(calls) < 1 || len(calls) > 2 || calls[0] < "latency 77 77" {
		t.Fatalf("calls %q", v.audio.called())
	}
	v.pass(10 * time.Second) // these clocks are equal, which is found out
	v.audio.calls = nil
	v.pass(time.Minute)
	if n := len(v.latencies()); n != 0 {
		t.Errorf("a steady latency was published %d times", n)
	}
	v.answer(way{wire: time.Millisecond, there: 200 * time.Microsecond, back: 200 * time.Microsecond, peerWallNs: otherWall})
	v.pass(time.Second)
	if n := len(v.latencies()); n != 1 {
		t.Errorf("a way of 1 ms that became known was published %d times: %q", n, v.latencies())
	}
}

func (v *virtual) latencies() []string {
	return slices.DeleteFunc(v.audio.called(), func(c string) bool { return c[:3] != "lat" })
}

func TestLatencyThatCannotBeIsToldOnce(t *testing.T) {
	v := playing(t, func(c *Settings) { c.Latency = receive.Latency{Frames: 32} })
	const line = "latency 32 frames is not possible at this period: 77 frames are the least; using that"
	v.down("a")
	v.up(agreed("b"))
	v.pass(10 * time.Second)
	v.logged(line, 1)
	// These clocks are equal: the resampler's part is not needed any more.
	if got := v.Status().Directions.Receive.BufferTargetFrames; got != 65 {
		t.Errorf("target %v", got)
	}
	v = playing(t, func(c *Settings) { c.Latency = receive.Latency{Frames: 77} })
	v.logged("not possible", 0)
}

func TestJitterIsRememberedForEachPeer(t *testing.T) {
	v := playing(t)
	v.core.lateFrames = 40
	learned := func(id, name string) int {
		s := agreed(id)
		s.Agreement.PeerName = name
		v.up(s)
		v.pass(50 * time.Millisecond)
		known := v.measured().JitterFrames
		v.pass(2 * time.Second)
		v.down(id)
		return known
	}
	v.down("a")
	if got := learned("b", ""); got != 16 {
		t.Errorf("the same peer: %d frames, want the 16 learned before", got)
	}
	if got := learned("c", "other"); got != 0 {
		t.Errorf("another peer: %d frames, want nothing known", got)
	}
	if got := learned("d", "other"); got == 0 {
		t.Error("nothing was remembered of the other peer")
	}
}

func TestConfigurationReachesTheServo(t *testing.T) {
	v := playing(t, func(c *Settings) {
		c.Latency, c.Clock = receive.Latency{Duration: 5 * time.Millisecond}, proto.ClockFree
	})
	v.pass(20 * time.Second)
	if s := v.streams.receive.Clock(); s.TargetFrames != 240 || s.RateLocked {
		t.Errorf("%+v", s)
	}
	v = playing(t)
	v.pass(20 * time.Second)
	if s := v.streams.receive.Clock(); !s.RateLocked || v.core.ratio != 1 {
		t.Errorf("%+v", s)
	}
}

func TestCoreThatRefusesAPlanLeavesTheOtherDirection(t *testing.T) {
	v := newVirtual(t)
	v.core.sendErr, v.core.receiveErr = errors.New("peer not reachable"), nil
	v.openAudio()
	v.up(agreed("a"))
	v.runs, v.core.packets = true, true
	v.pass(2 * time.Second)
	v.logged("cannot send", 1)
	d := v.Status().Directions
	if d.Send.State != status.DirectionFailed || d.Receive.State != status.DirectionRunning {
		t.Errorf("send %s, receive %s", d.Send.State, d.Receive.State)
	}
	v.core.sendErr = nil
	v.audio.graph.PeriodFrames = 32
	v.audioEvent(audio.Changed)
	v.pass(time.Second)
	if s := v.Status().Directions.Send.State; s != status.DirectionRunning {
		t.Errorf("send %s", s)
	}

	v = newVirtual(t)
	v.core.receiveErr = errors.New("no memory")
	v.openAudio()
	v.up(agreed("a"))
	v.runs = true
	v.pass(2 * time.Second)
	v.logged("cannot receive", 1)
	d = v.Status().Directions
	if d.Send.State != status.DirectionRunning || d.Receive.State != status.DirectionFailed || v.core.sender == nil {
		t.Errorf("send %s, receive %s", d.Send.State, d.Receive.State)
	}
	v.down("a")
}

func TestSocketIsEmptiedAtEveryTick(t *testing.T) {
	v := newVirtual(t)
	v.audio.absent = audio.ErrServerAbsent
	v.openAudio()
	v.pass(time.Second)
	if v.core.idleNs != v.time.ns {
		t.Errorf("last told at %d, now %d", v.core.idleNs, v.time.ns)
	}
}

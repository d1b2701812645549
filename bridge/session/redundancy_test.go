package session

import (
	"testing"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// repeating is a session of two ends that know repetition and lateness, with
// this agreed. The peer's period is 48 frames.
func repeating(id string, copies, distance int) signaling.Session {
	s := agreed(id)
	s.Agreement.Redundancy = proto.Redundancy{Copies: copies, Distance: distance}
	s.Agreement.PeerPeriodFrames, s.Agreement.SendDelay = 48, true
	return s
}

func TestEachDirectionRepeatsAtTheDistanceOfItsSendersPeriod(t *testing.T) {
	for _, c := range []struct {
		copies, distance int
		send, receive    stream.Repeats
	}{
		{0, 0, stream.Repeats{}, stream.Repeats{}},
		{1, 0, stream.Repeats{Copies: 1}, stream.Repeats{Copies: 1}},
		{1, 2, stream.Repeats{Copies: 1, DistanceFrames: 128}, stream.Repeats{Copies: 1, DistanceFrames: 96}},
		{2, 8, stream.Repeats{Copies: 2, DistanceFrames: 512}, stream.Repeats{Copies: 2, DistanceFrames: 384}},
	} {
		v := newVirtual(t)
		v.openAudio()
		v.up(repeating("a", c.copies, c.distance))
		if got := v.core.sender; got.Repeats != c.send || !got.SendDelay {
			t.Errorf("%+v: sender %+v", c, got)
		}
		if got := v.core.receiver; got.Repeats != c.receive || !got.SendDelay {
			t.Errorf("%+v: receiver %+v", c, got)
		}
	}
}

func TestPeerThatAgreedToNothingGetsNeitherRepeatsNorExtension(t *testing.T) {
	v := newVirtual(t, func(c *Settings) { c.Redundancy = proto.Redundancy{Copies: 2, Distance: 3} })
	v.openAudio()
	v.up(agreed("a"))
	if s, r := v.core.sender, v.core.receiver; s.Repeats != (stream.Repeats{}) || s.SendDelay || r.Repeats != (stream.Repeats{}) || r.SendDelay {
		t.Errorf("sender %+v\nreceiver %+v", s, r)
	}
}

func TestWishForRepetitionIsDescribed(t *testing.T) {
	v := newVirtual(t, func(c *Settings) { c.Redundancy = proto.Redundancy{Copies: 1, Distance: 2} })
	v.openAudio()
	d := v.local.Load()
	if d.Redundancy != (proto.Redundancy{Copies: 1, Distance: 2}) || d.PeriodFrames != testPeriod || !d.SendDelay {
		t.Errorf("%+v", d)
	}
	d = func() *proto.Description { v := newVirtual(t); v.openAudio(); return v.local.Load() }()
	if d.Redundancy != (proto.Redundancy{}) || d.PeriodFrames != testPeriod || !d.SendDelay {
		t.Errorf("by default %+v", d)
	}
}

// The peer's target is as large as our period was.
func TestAnotherPeriodIsNegotiatedWhereRepeatsCountInPeriods(t *testing.T) {
	for distance, negotiated := range map[int]bool{0: false, 2: true} {
		v := newVirtual(t)
		v.openAudio()
		v.up(repeating("a", 1, distance))
		v.core.calls = nil
		v.audio.graph.PeriodFrames = 256
		v.audioEvent(audio.Changed)
		if negotiated {
			v.calledPeer("renegotiate")
		} else {
			v.calledPeer()
		}
		if n := count(v.core.calls, "start sender"); (n == 0) != negotiated {
			t.Errorf("distance %d: %d new senders", distance, n)
		}
		if d := v.local.Load(); d.PeriodFrames != 256 {
			t.Errorf("distance %d: described %+v", distance, d)
		}
	}
}

// Nothing is agreed: what the peer sends again is not known, and never so late
// that the sound would have to wait for it.
func TestStaticEndRepeatsAsConfiguredAndExpectsNothing(t *testing.T) {
	v := newVirtual(t, static, func(c *Settings) { c.Redundancy = proto.Redundancy{Copies: 2, Distance: 3} })
	v.openAudio()
	if s := v.core.sender; s.Repeats != (stream.Repeats{Copies: 2, DistanceFrames: 192}) || s.SendDelay {
		t.Errorf("sender %+v", s)
	}
	if r := v.core.receiver; r.Repeats != (stream.Repeats{}) || r.SendDelay {
		t.Errorf("receiver %+v", r)
	}
	v.audio.graph.PeriodFrames = 32
	v.audioEvent(audio.Changed)
	if s := v.core.sender; s.Repeats != (stream.Repeats{Copies: 2, DistanceFrames: 96}) {
		t.Errorf("sender %+v", s)
	}
}

func TestWishOfEitherEndIsForBoth(t *testing.T) {
	for _, guestWishes := range []bool{true, false} {
		guest, host := pair(t, guestWishes, !guestWishes, func(guest, host *Settings) {
			wishing := host
			if guestWishes {
				wishing = guest
			}
			wishing.Redundancy = proto.Redundancy{Copies: 1, Distance: 2}
		})
		guest.start()
		host.start()
		eventually(t, "both run", func() bool { return guest.running() && host.running() })
		want := stream.Repeats{Copies: 1, DistanceFrames: 2 * testPeriod}
		for name, end := range map[string]*live{"guest": guest, "host": host} {
			if s, r := end.plans(); s.Repeats != want || r.Repeats != want || !s.SendDelay || !r.SendDelay {
				t.Errorf("the guest wishes %v, %s: sender %+v, receiver %+v", guestWishes, name, s, r)
			}
		}
		guest.stop()
		host.stop()
	}
}

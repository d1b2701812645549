package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/receive"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

func TestASessionIsUpOnlyWhenWhatWasAgreedCanWork(t *testing.T) {
	refused := errors.New("peer [::1]:4740: not reachable from 0.0.0.0:4741")
	for name, c := range map[string]struct {
		send, receive   error
		sends, hears    int
		reason          string // "": up
		sendS, receive2 status.State
	}{
		"both":                   {nil, nil, 2, 2, "", "running", "silent"},
		"no sending":             {refused, nil, 2, 2, "cannot send: " + refused.Error(), "failed", "silent"},
		"no receiving":           {nil, refused, 2, 2, "cannot receive: " + refused.Error(), "running", "failed"},
		"neither":                {refused, refused, 2, 2, "cannot send or receive: " + refused.Error(), "failed", "failed"},
		"neither, not for one":   {refused, errors.New("no memory"), 2, 2, "cannot send: " + refused.Error() + "; cannot receive: no memory", "failed", "failed"},
		"only sends, and cannot": {refused, nil, 2, 0, "cannot send: " + refused.Error(), "failed", "idle"},
		"only sends, and can":    {nil, refused, 2, 0, "", "running", "idle"},
		"only hears, and cannot": {nil, refused, 0, 2, "cannot receive: " + refused.Error(), "idle", "failed"},
		"only hears, and can":    {refused, nil, 0, 2, "", "idle", "silent"},
	} {
		v := newVirtual(t)
		v.core.sendErr, v.core.receiveErr = c.send, c.receive
		v.runs = true
		v.openAudio()
		s := agreed("a")
		s.Agreement.Send.Channels, s.Agreement.Receive.Channels = c.sends, c.hears
		v.up(s)
		v.pass(time.Second)
		got := v.Status()
		state := status.SessionUp
		if c.reason != "" {
			state = status.SessionFailed
		}
		if got.Session.State != state || got.Session.LastError != c.reason {
			t.Errorf("%s: %+v", name, got.Session)
		}
		if got.Directions.Send.State != c.sendS || got.Directions.Receive.State != c.receive2 {
			t.Errorf("%s: send %s, receive %s", name, got.Directions.Send.State, got.Directions.Receive.State)
		}
		if up := v.log.count("session up"); up != map[bool]int{true: 1}[c.reason == ""] || v.everPeer != (c.reason == "") {
			t.Errorf("%s: %d times up, ever %v", name, up, v.everPeer)
		}
	}
}

// attempts returns when the core was asked, in ms since the first time.
func (v *virtual) attempts(call string, d time.Duration) (atMs []int64) {
	start, before := v.time.ns, count(v.core.calls, call)
	for v.time.ns-start < int64(d) {
		v.pass(tick)
		if n := count(v.core.calls, call); n > before {
			before = n
			atMs = append(atMs, (v.time.ns-start)/1e6)
		}
	}
	return atMs
}

func TestWhatIsRefusedIsTriedLessAndLessOftenAndToldOnce(t *testing.T) {
	v := newVirtual(t)
	v.core.sendErr, v.core.receiveErr = errors.New("not reachable"), errors.New("not reachable")
	v.runs = true
	v.openAudio()
	v.up(agreed("a"))
	v.publish()
	for _, call := range []string{"start sender"} {
		if got, want := v.attempts(call, 40*time.Second), []int64{500, 1500, 3500, 7500, 15500, 31500}; !slices.Equal(got, want) {
			t.Errorf("%s at %v ms, want %v", call, got, want)
		}
	}
	v.pass(2 * time.Minute)
	if n := count(v.core.calls, "start receiver"); n > 12 {
		t.Errorf("%d attempts", n)
	}
	v.logged("cannot send: not reachable", 1)
	v.logged("cannot receive: not reachable", 1)
	v.logged("session up", 0)
	for _, call := range v.peer.calls { // a peer cannot help it that we cannot hear it
		if call != "check" {
			t.Fatalf("signaling was told %q", call)
		}
	}
	v.core.sendErr, v.core.receiveErr = nil, nil
	v.core.packets = true
	v.pass(refusalRetryMost)
	v.logged("session up", 1)
	v.logged("problem over", 2)
	if s := v.Status().Session; s.State != status.SessionUp || s.LastError != "" {
		t.Errorf("%+v", s)
	}
}

// The peer hears nothing of an end that cannot send, and calls again and again.
func TestARefusalOutlivesTheSessionsThatTryItAgain(t *testing.T) {
	v := newVirtual(t)
	v.core.sendErr, v.core.receiveErr = errors.New("not reachable"), errors.New("not reachable")
	v.openAudio()
	for range 60 {
		v.up(agreed("a"))
		v.pass(5 * time.Second)
		v.down("a")
		v.publish()
	}
	v.logged("session up", 0)
	if n := v.log.count("cannot send: not reachable"); n > 6 {
		t.Errorf("told %d times in 5 minutes", n)
	}
	if n := v.log.count("session over"); n > 7 {
		t.Errorf("over %d times in 5 minutes", n)
	}
}

func TestACodecThatIsRefusedIsTriedAgainToo(t *testing.T) {
	v, codec := newOpus(t)
	codec.err = errors.New("no codec")
	v.up(agreedOpus(0, 0))
	v.publish()
	if s := v.Status().Session; s.State != status.SessionFailed || s.LastError != "cannot send or receive: no codec" {
		t.Errorf("%+v", s)
	}
	codec.err = nil
	v.pass(time.Second)
	if s := v.Status().Session; s.State != status.SessionUp || s.LastError != "" {
		t.Errorf("%+v", s)
	}
	v.down("a")
}

func TestAPlainStreamThatCannotWorkIsNotCalledOne(t *testing.T) {
	v := newVirtual(t, static)
	v.core.sendErr = errors.New("not reachable")
	v.openAudio()
	v.pass(400 * time.Millisecond)
	v.publish()
	if s := v.Status().Session; s.State != status.SessionFailed || s.LastError != "cannot send: not reachable" || v.everPeer {
		t.Errorf("%+v, ever %v", s, v.everPeer)
	}
	v.core.sendErr = nil
	v.pass(time.Second)
	if s := v.Status().Session; s.State != status.SessionStatic || s.LastError != "" || !v.everPeer {
		t.Errorf("%+v, ever %v", s, v.everPeer)
	}
}

func TestADirectionThatFailsInASessionFailsTheSession(t *testing.T) {
	v := playing(t)
	v.core.sendErr = errors.New("no memory")
	v.audio.graph.PeriodFrames = 32
	v.audioEvent(audio.Changed)
	v.publish()
	if s := v.Status().Session; s.State != status.SessionFailed || s.LastError != "cannot send: no memory" {
		t.Errorf("%+v", s)
	}
	v.core.sendErr = nil
	v.pass(time.Second)
	if s := v.Status().Session; s.State != status.SessionUp {
		t.Errorf("%+v", s)
	}
	v.logged("session up", 1) // it is the same
}

func TestASessionWithoutItsAudioServerIsNotUp(t *testing.T) {
	v := playing(t)
	v.audio.absent = errors.New("no such server")
	v.audioEvent(audio.Lost)
	v.pass(time.Second)
	if s := v.Status().Session; s.State != status.SessionWaiting || s.LastError != "no such server" || s.ID != shownID("a") {
		t.Errorf("%+v", s)
	}
	v.audio.absent = nil
	v.pass(time.Second)
	if s := v.Status().Session; s.State != status.SessionUp {
		t.Errorf("%+v", s)
	}
}

func TestAPeerThatWasOnlyAgreedWithWasNeverReached(t *testing.T) {
	guest, host := pair(t, true, false, func(guest, _ *Settings) { guest.Wait = 500 * time.Millisecond })
	guest.core.sendErr = errors.New("not reachable from here")
	host.start()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := guest.Run(ctx)
	if !errors.Is(err, fault.ErrNeverReached) || !strings.Contains(err.Error(), "cannot send: not reachable from here") {
		t.Errorf("%v", err)
	}
	host.stop()
}

// Calling again is right while it can help; it must not fill the log.
func TestSessionsInWhichNothingIsHeardLastLongerAndAreToldOnceAMinute(t *testing.T) {
	v := newVirtual(t)
	v.runs = true
	v.openAudio()
	var lasted []time.Duration
	for range 8 {
		v.up(agreed("a"))
		began := v.time.ns
		for !slices.ContainsFunc(v.peer.calls, func(c string) bool { return strings.HasPrefix(c, "drop") }) {
			v.pass(tick)
		}
		lasted = append(lasted, time.Duration(v.time.ns-began).Truncate(time.Second))
		v.peer.calls = nil
		v.down("a")
		v.pass(100 * time.Millisecond)
		if found := v.Status().Problems; len(found) != 1 || found[0].Code != health.NothingComes {
			t.Errorf("between sessions: %+v", found)
		}
	}
	const s = time.Second
	if want := []time.Duration{5 * s, 10 * s, 20 * s, 30 * s, 30 * s, 30 * s, 30 * s, 30 * s}; !slices.Equal(lasted, want) {
		t.Errorf("lasted %v, want %v", lasted, want)
	}
	if n := v.log.count("session up"); n > 5 { // in 3 minutes, the first two at once
		t.Errorf("%d times up:\n%s", n, v.log.text.String())
	}
	v.logged("neither sound nor reports", 1) // it was never over

	v.up(agreed("b"))
	v.core.packets = true
	v.pass(3 * time.Second)
	v.wrong("sound")
	v.core.packets = false
	v.pass(forgetAfter + time.Second)
	if !slices.Contains(v.peer.calls, "drop: nothing from the peer for 30s") {
		v.pass(30 * time.Second)
	}
	v.down("b")
	if v.futile.sessions != 0 {
		t.Errorf("a session with sound was futile")
	}
}

// A peer that takes none of our answers calls again and again, and so may a stranger.
func TestSessionsThatComeAndGoDoNotFillTheLog(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	const minutes = 3
	for i := range minutes * 60 * 5 {
		id := fmt.Sprint(i)
		v.up(agreed(id))
		v.pass(100 * time.Millisecond)
		v.down(id)
		v.pass(100 * time.Millisecond)
	}
	for _, line := range []string{"session up", "session over"} {
		if n := v.log.count(line); n < fewPerMinute || n > minutes*(fewPerMinute+2) {
			t.Errorf("%d times %q in %d minutes", n, line, minutes)
		}
	}
	v.pass(2 * time.Minute)
	before := v.log.count("session up")
	v.up(agreed("later"))
	v.pass(100 * time.Millisecond)
	v.logged("session up", before+1)
}

func TestWishesOfOneEndAreSaidAtBoth(t *testing.T) {
	type have struct{ sends, receives int }
	for _, c := range []struct {
		guest, host have
		want        []string
	}{
		{have{2, 2}, have{2, 2}, nil},
		{have{6, 3}, have{3, 6}, nil},
		{have{6, 2}, have{2, 2}, []string{"the guest sends 6 channels, the host receives 2: 2 are used; give the host --receive-channels 6"}},
		{have{2, 6}, have{2, 2}, []string{"the host sends 2 channels, the guest receives 6: 2 are used; give the host --send-channels 6"}},
		{have{2, 2}, have{2, 6}, []string{"the guest sends 2 channels, the host receives 6: 2 are used; give the guest --send-channels 6"}},
		{have{2, 0}, have{2, 2}, []string{"the host sends 2 channels, the guest receives 0: none is used; give the guest --receive-channels 2"}},
		{have{6, 6}, have{2, 2}, []string{
			"the guest sends 6 channels, the host receives 2: 2 are used; give the host --channels 6",
			"the host sends 2 channels, the guest receives 6: 2 are used; give the host --channels 6",
		}},
		{have{2, 2}, have{8, 8}, []string{
			"the guest sends 2 channels, the host receives 8: 2 are used; give the guest --channels 8",
			"the host sends 8 channels, the guest receives 2: 2 are used; give the guest --channels 8",
		}},
		{have{6, 6}, have{2, 8}, []string{
			"the guest sends 6 channels, the host receives 8: 6 are used; give the guest --send-channels 8",
			"the host sends 2 channels, the guest receives 6: 2 are used; give the host --send-channels 6",
		}},
	} {
		description := func(role proto.Role, h have) proto.Description {
			return proto.Description{
				Role: role, Version: proto.Version, Port: 4713, Payloads: proto.Payloads(proto.F32), RateHz: testRate,
				SendChannels: h.sends, ReceiveChannels: h.receives, SSRC: proto.SSRC("", role), CNAME: "test",
			}
		}
		answer, atHost, err := proto.Answer(description(proto.Guest, c.guest), description(proto.Host, c.host))
		if err != nil {
			t.Fatal(err)
		}
		atGuest, err := proto.Accept(description(proto.Guest, c.guest), answer)
		if err != nil {
			t.Fatal(err)
		}
		for role, a := range map[proto.Role]proto.Agreement{proto.Guest: atGuest, proto.Host: atHost} {
			mine := c.guest
			if role == proto.Host {
				mine = c.host
			}
			v := newVirtual(t, func(cfg *Settings) { cfg.SendChannels, cfg.ReceiveChannels = mine.sends, mine.receives })
			v.settings.Role = role
			v.openAudio()
			s := agreed("a")
			s.Agreement = a
			v.up(s)
			v.publish()
			var got []string
			for _, p := range v.Status().Problems {
				got = append(got, p.Text)
				v.logged(p.Text, 1)
			}
			slices.Sort(got)
			if want := append([]string(nil), c.want...); !slices.Equal(got, want) {
				t.Errorf("guest %v, host %v, at the %s:\n%q, want\n%q", c.guest, c.host, role, got, want)
			}
		}
	}
}

func TestOtherWishesThatAreNotMetAreSaid(t *testing.T) {
	v := newVirtual(t, func(c *Settings) { c.Ptime = 5 * time.Millisecond })
	v.openAudio()
	v.up(agreed("a"))
	v.publish()
	v.wrong("a packet time that is too long", health.Ptime, "ptime 5ms does not fit a packet: 151 frames are the most of F32/48000/2; using that")
	v.logged("does not fit a packet", 1)

	v, _ = newOpus(t)
	s := agreedOpus(0, 0)
	s.Agreement.PeerMaxBitrate = 64000
	s.Agreement.PeerSends, s.Agreement.PeerReceives = 2, 2
	v.up(s)
	v.publish()
	v.wrong("the peer wants fewer bits", health.Bitrate, "--opus-bitrate is 128000 on the guest, 64000 on the host: both send at most 64000")
	v.down("a")

	v = playing(t, func(c *Settings) { c.Latency = receive.Latency{Frames: 32} })
	found := v.Status().Problems
	if len(found) != 1 || found[0].Code != health.Latency {
		t.Errorf("%+v", found)
	}
}

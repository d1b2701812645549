package session

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

func TestAudioServerThatIsAbsentIsTriedEvery50To250ms(t *testing.T) {
	v := newVirtual(t)
	v.audio.absent = errors.New("no such server")
	v.openAudio()
	start, opened := v.time.ns, []int64{}
	for len(opened) < 7 {
		before := count(v.audio.called(), "open")
		v.pass(tick)
		if count(v.audio.called(), "open") > before {
			opened = append(opened, (v.time.ns-start)/1e6)
			start = v.time.ns
		}
	}
	// Each wait is rounded up to a tick of 20 ms.
	if want := []int64{60, 100, 200, 260, 260, 260, 260}; !slices.Equal(opened, want) {
		t.Errorf("waited %v ms, want %v", opened, want)
	}
	v.logged("waiting for the audio server", 1)
	if s := v.Status(); s.Audio.State != status.AudioAbsent || s.Session.LastError != "no such server" {
		t.Errorf("status %+v, %+v", s.Audio, s.Session)
	}
	v.audio.absent = errors.New("no answer")
	v.pass(time.Second)
	v.logged("waiting for the audio server", 2)
	v.audio.absent = nil
	v.pass(time.Second)
	if s := v.Status(); s.Audio.State != status.AudioRunning || s.Session.LastError != "" {
		t.Errorf("status %+v, %+v", s.Audio, s.Session)
	}
	v.logged("audio server open", 1)

	v.audioEvent(audio.Lost)
	v.audio.absent = errors.New("no answer")
	v.pass(tick)
	v.logged("waiting for the audio server", 2) // it was told within the minute
	if v.openBackoff != 2*audioRetryLeast {
		t.Errorf("back-off did not begin again: %v", v.openBackoff)
	}
}

func TestWhatElseThereIsIsSaidOnceAndOnlyWhereThereNeverWasAServer(t *testing.T) {
	v := newVirtual(t)
	v.hint = "there is another backend"
	v.audio.absent = errors.New("permission denied")
	v.openAudio()
	v.logged("there is another backend", 0) // it is there
	v.audio.absent = audio.ErrServerAbsent
	v.pass(time.Second)
	v.audio.absent = fmt.Errorf("elsewhere: %w", audio.ErrServerAbsent)
	v.pass(time.Second)
	v.logged("there is another backend", 1)

	v = newVirtual(t)
	v.hint = "there is another backend"
	v.openAudio()
	v.audioEvent(audio.Lost)
	v.audio.absent = audio.ErrServerAbsent
	v.pass(time.Second)
	v.logged("waiting for the audio server", 1)
	v.logged("there is another backend", 0)
}

func TestAnEndGivesUpWithAnAudioServerThatNeedsANewProcess(t *testing.T) {
	v := newVirtual(t)
	v.audio.absent = fmt.Errorf("a dead server: %w", audio.ErrStartAnew)
	ended := make(chan error, 1)
	go func() { ended <- v.loop(t.Context(), nil) }()
	select {
	case err := <-ended:
		if !errors.Is(err, audio.ErrStartAnew) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the end goes on")
	}
}

func TestAudioServerIsAskedForWhatIsConfigured(t *testing.T) {
	v := newVirtual(t, func(c *Settings) {
		c.Name, c.SendChannels, c.ReceiveChannels, c.RateHz, c.PeriodFrames = "lab", 3, 1, testRate, 96
	})
	v.openAudio()
	if want := (audio.Config{Name: "lab", SendChannels: 3, ReceiveChannels: 1, RateHz: testRate, PeriodFrames: 96}); v.audio.config != want {
		t.Errorf("asked for %+v, want %+v", v.audio.config, want)
	}
}

func TestLostAudioServerIsClosedBeforeItIsOpenedAndTheSessionStays(t *testing.T) {
	v := playing(t)
	sender, receiver := *v.core.sender, *v.core.receiver
	v.audio.calls, v.core.calls = nil, nil
	v.audio.absent = audio.ErrServerAbsent
	v.audioEvent(audio.Lost)
	if got := v.audio.called(); !slices.Equal(got, []string{"close"}) {
		t.Errorf("calls %q", got)
	}
	if !slices.Equal(v.core.calls, []string{"stop sender", "stop receiver"}) {
		t.Errorf("the core was told %q", v.core.calls)
	}
	if _, err := v.describeItself(); err == nil || err.Error() != "JACK server lab is not running on the guest" {
		t.Errorf("describes itself: %v", err)
	}
	v.audioEvent(audio.Lost) // both nodes may complain
	v.pass(time.Second)
	v.logged("audio server lost", 1)
	v.calledPeer()

	v.audio.absent = nil
	v.pass(time.Second)
	if v.core.sender == nil || *v.core.sender != sender || v.core.receiver == nil || *v.core.receiver != receiver {
		t.Errorf("sender %+v, receiver %+v; want the same as before", v.core.sender, v.core.receiver)
	}
	if count(v.audio.called(), "close") != 1 || v.session == nil || v.session.ID != "a" {
		t.Errorf("calls %q, session %+v", v.audio.called(), v.session)
	}
	if count(v.audio.called(), "active false") != 0 {
		t.Error("the graph was let go of")
	}
}

func TestAudioServerThatComesBackAtAnotherRateRenegotiates(t *testing.T) {
	v := playing(t)
	v.audioEvent(audio.Lost)
	v.audio.graph.RateHz = 44100
	v.pass(100 * time.Millisecond)
	v.calledPeer("renegotiate")
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("streams run by an agreement that is void")
	}
}

func TestPeriodChangePlansOnlyTheSenderAnew(t *testing.T) {
	v := playing(t)
	v.core.calls = nil
	v.audio.graph.PeriodFrames = 256
	v.audioEvent(audio.Changed)
	if !slices.Equal(v.core.calls, []string{"start sender"}) || v.core.sender.PacketFrames != 128 {
		t.Errorf("the core was told %q, sender %+v", v.core.calls, v.core.sender)
	}
	if d, err := v.describeItself(); err != nil || d.PacketFrames != 128 {
		t.Errorf("describes packets of %d frames, %v", d.PacketFrames, err)
	}
	v.calledPeer()
}

func TestEventWithoutAChangeDoesNothing(t *testing.T) {
	v := playing(t)
	v.core.calls = nil
	v.audioEvent(audio.Changed)
	v.calledPeer()
	if len(v.core.calls) != 0 {
		t.Errorf("the core was told %q", v.core.calls)
	}
	v.logged("audio server changed", 0)
}

func TestRateChangeRenegotiates(t *testing.T) {
	v := playing(t)
	v.core.calls = nil
	v.audio.graph.RateHz = 96000
	v.audioEvent(audio.Changed)
	v.calledPeer("renegotiate")
	if !slices.Equal(v.core.calls, []string{"stop sender", "stop receiver", "graph 96000"}) {
		t.Errorf("the core was told %q", v.core.calls)
	}
	if d, err := v.describeItself(); err != nil || d.RateHz != 96000 {
		t.Errorf("describes %d Hz, %v", d.RateHz, err)
	}
	v.down("a")
	s := agreed("b")
	s.Agreement.Send.RateHz, s.Agreement.Receive.RateHz = 96000, 96000
	v.up(s)
	if v.core.receiver == nil || v.core.receiver.Format.RateHz != 96000 {
		t.Errorf("receiver %+v", v.core.receiver)
	}
}

func TestAgreementMadeBeforeTheRateChangedIsNotUsed(t *testing.T) {
	v := newVirtual(t)
	v.audio.graph.RateHz = 44100
	v.openAudio()
	v.up(agreed("a"))
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("streams run at a rate that the server does not have")
	}
}

func TestAServerAtAnotherRateThanAskedForIsWaitedForWithItsNodes(t *testing.T) {
	v := newVirtual(t, func(c *Settings) { c.RateHz = 96000 })
	v.openAudio()
	const why = "JACK server lab runs at 48000 Hz, --rate asks for 96000 Hz"
	v.pass(10 * time.Minute)
	v.logged(why, 1)
	if got := v.audio.called(); !slices.Equal(got, []string{"open"}) || v.Ready() {
		t.Errorf("calls %q, ready %v", got, v.Ready())
	}
	if s := v.Status(); s.Audio.State != status.AudioWaiting || s.Audio.Reason != why || s.Session.LastError != why {
		t.Errorf("status %+v, %+v", s.Audio, s.Session)
	}
	v.is(fault.ErrNeverReached, "JACK server lab: not reached in 0s: "+why+": never reached")
	if _, err := v.describeItself(); err == nil || err.Error() != "no audio on the guest: "+why {
		t.Errorf("describes itself: %v", err)
	}
	v.up(agreed("a"))
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("streams run at a rate that was not asked for")
	}
}

// PipeWire moves between rates with what plays; no event comes while nothing of ours
// runs.
func TestARateThatGoesAwayAndComesBackUnseenIsFollowedWithinASecond(t *testing.T) {
	for _, away := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 10 * time.Minute} {
		for _, asked := range []int{0, testRate} {
			v := playing(t, func(c *Settings) { c.RateHz = asked })
			v.audio.set(func(a *fakeAudio) { a.graph.RateHz = 44100 })
			v.audioEvent(audio.Changed)
			v.runs = false
			if asked == 0 {
				v.calledPeer("renegotiate")
			}
			v.down("a") // it is refused
			v.pass(away)
			if v.core.sender != nil || v.core.receiver != nil {
				t.Fatalf("away for %v, asked for %d: streams run", away, asked)
			}
			v.audio.set(func(a *fakeAudio) { a.graph.RateHz = testRate })
			v.pass(time.Second)
			v.calledPeer("renegotiate")
			if d, err := v.describeItself(); err != nil || d.RateHz != testRate {
				t.Errorf("away for %v, asked for %d: describes %d Hz, %v", away, asked, d.RateHz, err)
			}
			if s := v.Status(); s.Audio.State != status.AudioRunning || s.Audio.Rate != testRate || s.Audio.Reason != "" {
				t.Errorf("away for %v, asked for %d: status %+v", away, asked, s.Audio)
			}
			if calls := v.audio.called(); count(calls, "open") != 1 || count(calls, "close") != 0 {
				t.Errorf("away for %v, asked for %d: the nodes were made again: %q", away, asked, calls)
			}
			v.up(agreed("b"))
			if v.core.sender == nil || v.core.receiver == nil {
				t.Errorf("away for %v, asked for %d: no streams", away, asked)
			}
		}
	}
}

func TestAPeriodThatChangesUnseenIsDescribedWithinASecond(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	v.audio.set(func(a *fakeAudio) { a.graph.PeriodFrames = 256 })
	v.pass(time.Second)
	if d, err := v.describeItself(); err != nil || d.PeriodFrames != 256 {
		t.Errorf("describes %d frames, %v", d.PeriodFrames, err)
	}
	v.logged("audio server changed", 1)
}

func TestAStaticStreamWaitsForItsRateAndGoesOn(t *testing.T) {
	v := playing(t, func(c *Settings) {
		c.Static, c.RateHz, c.Format, c.Peer = true, testRate, proto.L24, Peer{Host: "192.0.2.7", Port: 5004}
	})
	v.audio.set(func(a *fakeAudio) { a.graph.RateHz = 44100 })
	v.pass(time.Minute)
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("streams run at a rate that was not asked for")
	}
	v.logged("waiting for the audio server", 1)
	v.audio.set(func(a *fakeAudio) { a.graph.RateHz = testRate })
	v.pass(time.Second)
	if v.core.sender == nil || v.core.receiver == nil {
		t.Error("no streams")
	}
	if calls := v.audio.called(); count(calls, "open") != 1 {
		t.Errorf("calls %q", calls)
	}
}

// flapping is an audio server that throws us out as soon as we are in.
func (v *virtual) flapping(d time.Duration) (opened int) {
	before := count(v.audio.called(), "open")
	for end := v.time.ns + int64(d); v.time.ns < end; {
		v.pass(tick)
		if v.audioOpen {
			v.audioEvent(audio.Lost)
		}
	}
	return count(v.audio.called(), "open") - before
}

func TestAServerThatThrowsUsOutEachTimeIsOpenedLessAndLessOften(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	if n := v.flapping(time.Minute); n > 15 {
		t.Errorf("opened %d times in the first minute", n)
	}
	if n := v.flapping(10 * time.Minute); n > 21 {
		t.Errorf("opened %d times in ten minutes", n)
	}
	v.pass(reopenMost)
	if !v.audioOpen {
		t.Fatal("given up")
	}
	v.pass(stableAfter)
	v.audioEvent(audio.Lost)
	v.pass(tick)
	if !v.audioOpen {
		t.Error("one loss of a server that was stable is not answered at once")
	}
}

func TestWhatWasNeverReachedIsNamed(t *testing.T) {
	v := newVirtual(t, func(c *Settings) { c.Wait = 300 * time.Millisecond })
	v.audio.absent = fmt.Errorf("cannot connect: %w", audio.ErrServerAbsent)
	v.openAudio()
	v.is(fault.ErrNeverReached, "JACK server lab: not reached in 300ms: cannot connect: audio server not running: never reached")
	v.audio.absent = nil
	v.pass(time.Second)
	v.is(fault.ErrNeverReached, "peer (any): not reached in 300ms: never reached")
	v.settings.Peer = Peer{Host: "tower", Port: 4713}
	v.is(fault.ErrNeverReached, "peer tower:4713: not reached in 300ms: never reached")
	v.up(agreed("a"))
	v.down("a")
	v.audioEvent(audio.Lost)
	if err := v.neverReached(); err != nil {
		t.Errorf("both were reached once: %v", err)
	}
}

func (v *virtual) is(want error, text string) {
	v.t.Helper()
	if err := v.neverReached(); !errors.Is(err, want) || err.Error() != text {
		v.t.Errorf("got  %v\nwant %s", err, text)
	}
}

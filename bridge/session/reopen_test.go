package session

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/status"
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

	v.audioEvent(AudioLost)
	v.audio.absent = errors.New("no answer")
	v.pass(tick)
	v.logged("waiting for the audio server", 3) // known, but new again
	if v.openBackoff != 2*audioRetryLeast {
		t.Errorf("back-off did not begin anew: %v", v.openBackoff)
	}
}

func TestWhatElseThereIsIsSaidOnceAndOnlyWhereThereNeverWasAServer(t *testing.T) {
	v := newVirtual(t)
	v.hint = "there is another backend"
	v.audio.absent = errors.New("no such server")
	v.openAudio()
	v.audio.absent = errors.New("no answer")
	v.pass(time.Second)
	v.logged("there is another backend", 1)

	v = newVirtual(t)
	v.hint = "there is another backend"
	v.openAudio()
	v.audioEvent(AudioLost)
	v.audio.absent = errors.New("no such server")
	v.pass(time.Second)
	v.logged("waiting for the audio server", 1)
	v.logged("there is another backend", 0)
}

func TestAnEndGivesUpWithAnAudioServerThatNeedsANewProcess(t *testing.T) {
	v := newVirtual(t)
	v.audio.absent = fmt.Errorf("a dead server: %w", ErrStartAnew)
	ended := make(chan error, 1)
	go func() { ended <- v.loop(t.Context(), nil) }()
	select {
	case err := <-ended:
		if !errors.Is(err, ErrStartAnew) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the end goes on")
	}
}

func TestAudioServerIsAskedForWhatIsConfigured(t *testing.T) {
	v := newVirtual(t, func(c *config.Config) {
		c.Name, c.SendChannels, c.ReceiveChannels, c.Rate, c.HostPeriod = "lab", 3, 1, testRate, 96
	})
	v.openAudio()
	if want := (AudioConfig{"lab", 3, 1, testRate, 96}); v.audio.config != want {
		t.Errorf("asked for %+v, want %+v", v.audio.config, want)
	}
}

func TestLostAudioServerIsClosedBeforeItIsOpenedAndTheSessionStays(t *testing.T) {
	v := playing(t)
	sender, receiver := *v.core.sender, *v.core.receiver
	v.audio.calls, v.core.calls = nil, nil
	v.audio.absent = ErrServerAbsent
	v.audioEvent(AudioLost)
	if got := v.audio.called(); !slices.Equal(got, []string{"close"}) {
		t.Errorf("calls %q", got)
	}
	if !slices.Equal(v.core.calls, []string{"stop sender", "stop receiver"}) {
		t.Errorf("the core was told %q", v.core.calls)
	}
	if _, err := v.describeItself(); err == nil || err.Error() != "JACK server lab is not running on the guest" {
		t.Errorf("describes itself: %v", err)
	}
	v.audioEvent(AudioLost) // both nodes may complain
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
	v.audioEvent(AudioLost)
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
	v.audioEvent(AudioChanged)
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
	v.audioEvent(AudioChanged)
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
	v.audioEvent(AudioChanged)
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

func TestServerAtAnotherRateThanAskedForIsOfNoUse(t *testing.T) {
	v := newVirtual(t, func(c *config.Config) { c.Rate = 96000 })
	v.openAudio()
	const why = "JACK server lab runs at 48000 Hz, --rate asks for 96000 Hz"
	v.logged(why, 1)
	if got := v.audio.called(); !slices.Equal(got, []string{"open", "close"}) || v.audioOpen {
		t.Errorf("calls %q", got)
	}
	v.audio.graph.RateHz = 96000
	v.pass(time.Second)
	if !v.audioOpen {
		t.Fatal("not open at the right rate")
	}
	v.up(agreed("a"))
	v.audio.graph.RateHz = testRate // PipeWire may change its rate
	v.audioEvent(AudioChanged)
	v.pass(time.Second)
	v.logged(why, 2)
	if v.audioOpen || v.Status().Audio.State != status.AudioAbsent {
		t.Error("still open at the wrong rate")
	}
}

func TestWhatWasNeverReachedIsNamed(t *testing.T) {
	v := newVirtual(t, func(c *config.Config) { c.Wait.Duration = 300 * time.Millisecond })
	v.audio.absent = fmt.Errorf("cannot connect: %w", ErrServerAbsent)
	v.openAudio()
	v.is(config.ErrNeverReached, "JACK server lab: not reached in 300ms: cannot connect: audio server not running: never reached")
	v.audio.absent = nil
	v.pass(time.Second)
	v.is(config.ErrNeverReached, "peer (any): not reached in 300ms: never reached")
	v.cfg.Peer = config.Peer{Host: "tower", Port: 4713}
	v.is(config.ErrNeverReached, "peer tower:4713: not reached in 300ms: never reached")
	v.up(agreed("a"))
	v.down("a")
	v.audioEvent(AudioLost)
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

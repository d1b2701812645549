package session

import (
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/status"
)

// troubledAudio is an audio server that knows what hinders it.
type troubledAudio struct {
	*fakeAudio
	trouble, why string
}

func (a *troubledAudio) Trouble() string           { return a.trouble }
func (a *troubledAudio) WhyPeriod(int, int) string { return a.why }

func troubled(t *testing.T, change ...func(*Settings)) (*virtual, *troubledAudio) {
	v := playing(t, change...)
	server := &troubledAudio{fakeAudio: v.audio}
	v.End.audio = server
	return v, server
}

// shows says whether status has a problem of the audio server, and how often the log
// told it.
func (v *virtual) shows(code, text string, times int) {
	v.t.Helper()
	found := ""
	for _, p := range v.Status().Problems {
		if p.Code == code && p.Side == status.SideAudio {
			found = p.Text
		}
	}
	if found != text {
		v.t.Errorf("status says %q, want %q", found, text)
	}
	if text != "" {
		v.logged(text, times)
	}
}

func TestATroubleIsShownAsLongAsItLastsAndToldOnce(t *testing.T) {
	v, server := troubled(t)
	v.shows(health.AudioMute, "", 0)
	server.trouble = "no session manager"
	v.pass(time.Second)
	v.shows(health.AudioMute, "no session manager", 1)
	v.pass(10 * time.Minute)
	v.shows(health.AudioMute, "no session manager", 1)
	server.trouble = ""
	v.pass(time.Second)
	v.shows(health.AudioMute, "", 0)
	for range 30 { // it comes and goes
		server.trouble = "no session manager"
		v.pass(time.Second)
		server.trouble = ""
		v.pass(time.Second)
	}
	if n := v.log.count("no session manager"); n > 3 {
		t.Errorf("told %d times in a minute", n)
	}
	server.trouble = "no session manager"
	v.audioEvent(audio.Lost)
	v.audio.absent = audio.ErrServerAbsent
	v.pass(time.Second)
	v.shows(health.AudioMute, "", 0) // nothing of a server that is gone
}

func TestTheServersOwnCauseIsToldInPlaceOfTheSymptom(t *testing.T) {
	v, server := troubled(t)
	server.trouble = "no session manager"
	v.runs = false
	v.pass(4 * time.Second)
	v.shows(health.AudioMute, "no session manager", 1)
	v.logged(health.GraphStopped, 0)
	server.trouble = ""
	v.pass(500 * time.Millisecond)
	if !strings.Contains(v.log.text.String(), health.GraphStopped) {
		t.Errorf("a graph that stands still for no known reason is not told:\n%s", v.log.text.String())
	}
}

func TestAPeriodThatIsNotTheOneAskedForIsToldWithItsCause(t *testing.T) {
	asked := func(frames int) func(*Settings) { return func(c *Settings) { c.PeriodFrames = frames } }
	v, server := troubled(t, asked(testPeriod))
	v.shows(health.HostPeriod, "", 0)
	server.set(func(a *fakeAudio) { a.graph.PeriodFrames = 1024 })
	server.why = "min-quantum"
	v.pass(time.Minute)
	v.shows(health.HostPeriod, "guest-period 64 is not met: JACK server lab runs at 1024 frames: min-quantum", 1)
	server.set(func(a *fakeAudio) { a.graph.PeriodFrames = testPeriod })
	v.pass(time.Second)
	v.shows(health.HostPeriod, "", 0)

	v, server = troubled(t, asked(96))
	server.why = "rounded"
	v.pass(time.Second)
	v.shows(health.HostPeriod, "guest-period 96 is not met: JACK server lab runs at 64 frames: rounded", 1)
	server.why = "" // somebody else wants less
	v.pass(time.Second)
	v.shows(health.HostPeriod, "", 0)

	v = playing(t, asked(32)) // a server that knows no cause
	v.pass(time.Second)
	v.shows(health.HostPeriod, "guest-period 32 is not met: JACK server lab runs at 64 frames", 1)
	v = newVirtual(t, asked(32)) // before any session, too
	v.openAudio()
	v.pass(time.Second)
	v.shows(health.HostPeriod, "guest-period 32 is not met: JACK server lab runs at 64 frames", 1)
}

func TestTheReasonForAnAbsentServerIsTheSameInStatusAndLog(t *testing.T) {
	v := newVirtual(t)
	v.audio.absent = audio.ErrServerAbsent
	v.openAudio()
	v.pass(time.Second)
	v.logged(audio.ErrServerAbsent.Error(), 1)
	if s := v.Status(); s.Audio.Reason != audio.ErrServerAbsent.Error() || s.Session.LastError != s.Audio.Reason {
		t.Errorf("status %+v, %+v", s.Audio, s.Session)
	}
}

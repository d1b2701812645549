package session

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/receive"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// led is a session of the guest that newVirtual makes, in which a role leads.
func led(id string, leader proto.Role, rateHz, periodFrames int) signaling.Session {
	s := agreed(id)
	a := &s.Agreement
	a.Leader, a.PeriodFrames, a.PeerPeriodFrames = leader, periodFrames, periodFrames
	a.Send.RateHz, a.Receive.RateHz, a.PeerPacketFrames = rateHz, rateHz, periodFrames
	return s
}

// following is a guest with sound, whose graph the host's packets drive.
func following(t *testing.T, rateHz, periodFrames int, change ...func(*Settings)) *virtual {
	t.Helper()
	v := newVirtual(t, change...)
	v.audio.follows = true
	v.openAudio()
	v.up(led("a", proto.Host, rateHz, periodFrames))
	v.runs, v.core.packets = true, true
	v.pass(2 * time.Second)
	return v
}

// leading is a guest with sound, whose cycles drive the host's graph.
func leading(t *testing.T, change ...func(*Settings)) *virtual {
	t.Helper()
	v := newVirtual(t, change...)
	v.openAudio()
	v.up(led("a", proto.Guest, testRate, testPeriod))
	v.runs, v.core.packets = true, true
	v.pass(2 * time.Second)
	return v
}

func (v *virtual) driven(rateHz, periodFrames int) {
	v.t.Helper()
	want := audio.Graph{RateHz: rateHz, PeriodFrames: periodFrames}
	if v.core.driven != want || v.audio.told != want {
		v.t.Errorf("the core drives %+v, the audio server follows %+v, want %+v", v.core.driven, v.audio.told, want)
	}
}

func (v *virtual) state(want status.State, locked string) status.Status {
	v.t.Helper()
	v.publish()
	s := v.Status()
	if s.Session.State != want || s.Session.Locked != locked {
		v.t.Errorf("the session is %s, %q, want %s, %q: %+v", s.Session.State, s.Session.Locked, want, locked, s.Session)
	}
	return s
}

func hasProblem(s status.Status, code string) (text string) {
	for _, p := range s.Problems {
		if p.Code == code {
			text = p.Text
		}
	}
	return text
}

func TestAFollowersGraphIsDrivenAtTheLeadersRateAndPeriod(t *testing.T) {
	v := following(t, 96000, 32)
	v.driven(96000, 32)
	v.state(status.SessionUp, status.Follows)
	plan, sends := v.core.receiver, v.core.sender
	if plan == nil || sends == nil {
		t.Fatalf("plans %+v, %+v", plan, sends)
	}
	if plan.Lock != stream.Follows || plan.PeriodFrames != 32 || plan.Format.RateHz != 96000 || plan.AnswerPeriods != 0 || plan.MostWait != 0 {
		t.Errorf("receives %+v", plan)
	}
	if sends.Lock != stream.Follows || sends.PacketFrames != 32 || sends.Format.RateHz != 96000 {
		t.Errorf("sends %+v", sends)
	}
	follow, start := slices.Index(v.core.calls, "follow 96000 32"), slices.Index(v.core.calls, "start receiver")
	if follow < 0 || start < follow || count(v.core.calls, "follow 96000 32") != 1 {
		t.Errorf("the core hears of it too late, or twice: %q", v.core.calls)
	}
	if d, err := v.describeItself(); err != nil || d.RateHz != 96000 || d.PeriodFrames != 32 || d.Follows != proto.FollowsAny {
		t.Errorf("it says of itself %+v, %v", d, err)
	}
}

func TestALeaderWaitsForItsAnswersForAQuarterOfThePeriodAndNeverLong(t *testing.T) {
	for _, c := range []struct {
		rateHz, period, wanted, periods int
		wait                            time.Duration
	}{
		{48000, 64, 0, 1, 300 * time.Microsecond},
		{48000, 32, 1, 1, 666666 * time.Nanosecond / 4},
		{96000, 32, 2, 2, 333333 * time.Nanosecond / 4},
		{48000, 1024, 2, 2, 300 * time.Microsecond},
	} {
		v := newVirtual(t, func(s *Settings) { s.AnswerPeriods = c.wanted })
		v.audio.graph = audio.Graph{RateHz: c.rateHz, PeriodFrames: c.period}
		v.openAudio()
		v.up(led("a", proto.Guest, c.rateHz, c.period))
		plan, sends := v.core.receiver, v.core.sender
		if plan == nil || plan.Lock != stream.Leads || plan.PeriodFrames != c.period || plan.AnswerPeriods != c.periods || plan.MostWait != c.wait {
			t.Errorf("%+v: %+v", c, plan)
		}
		if sends == nil || sends.Lock != stream.Leads {
			t.Errorf("%+v: sends %+v", c, sends)
		}
		if v.core.driven != (audio.Graph{}) || v.audio.told != (audio.Graph{}) {
			t.Errorf("%+v: a leader's graph is driven", c)
		}
		if s := v.state(status.SessionUp, status.Leads); s.Session.AnswerPeriods != c.periods {
			t.Errorf("%+v: %+v", c, s.Session)
		}
	}
}

func TestALockedSessionSteersNothingAndHasNoUseForALatency(t *testing.T) {
	asked := func(s *Settings) { s.Latency = receive.Latency{Duration: 5 * time.Millisecond} }
	for leader, v := range map[proto.Role]*virtual{proto.Guest: leading(t, asked), proto.Host: following(t, testRate, testPeriod, asked)} {
		v.core.ratio = 1.25 // which nobody touches
		v.pass(20 * time.Second)
		if v.core.ratio != 1.25 || v.core.playing {
			t.Errorf("steered: ratio %v, playing %v", v.core.ratio, v.core.playing)
		}
		v.logged("--latency is not used", 1)
		s := v.state(status.SessionUp, v.lockedAs())
		if d := s.Directions.Receive; d.RatioPPM != 0 || d.BufferTargetFrames != 0 || d.State != status.DirectionRunning {
			t.Errorf("%+v", d)
		}
		if len(s.Problems) != 0 {
			t.Errorf("%+v", s.Problems)
		}
		v.down("a")
		v.up(led("b", leader, testRate, testPeriod))
		v.logged("--latency is not used", 1)
	}
}

func TestTheLogSaysWhoLeadsAndWhoseClockTheGraphHas(t *testing.T) {
	v := following(t, 96000, 32)
	v.logged("session up", 1)
	v.logged("leader=host period_frames=32", 1)
	v.down("a")
	v.pass(idleAfter + time.Second)
	v.logged("the graph has its own clock again", 1)
	v.logged(fmt.Sprintf("rate_hz=%d period_frames=%d", testRate, testPeriod), 2) // and when it was opened
	v.up(agreed("b"))
	if n := v.log.count("leader="); n != 1 {
		t.Errorf("a session without a leader names one: %d times", n)
	}
}

// The leader's period is no fault of this machine's.
func TestAPeriodThatWasAskedForIsNotMissedWhileAnotherEndLeads(t *testing.T) {
	v := following(t, 96000, 32, func(s *Settings) { s.PeriodFrames = 16 })
	if s := v.state(status.SessionUp, status.Follows); len(s.Problems) != 0 {
		t.Errorf("%+v", s.Problems)
	}
	v.logged("--guest-period is not used: the other end leads", 1)
	v.down("a")
	v.up(led("b", proto.Host, 96000, 64))
	v.logged("--guest-period is not used", 1)
	v.down("b")
	v.up(agreed("c"))
	if s := v.state(status.SessionUp, ""); hasProblem(s, health.HostPeriod) == "" {
		t.Errorf("with its own clock: %+v", s.Problems)
	}
}

func TestALockedSessionLearnsNothingForTheNextOne(t *testing.T) {
	memory := forgetful{}
	v := newVirtualOf(t, func(p *Parts) { p.Memory = memory })
	v.openAudio()
	v.up(led("a", proto.Guest, testRate, testPeriod))
	v.runs, v.core.packets = true, true
	v.pass(20 * time.Second)
	v.down("a")
	if len(memory) != 0 {
		t.Errorf("learned %v", memory)
	}
}

func TestASessionThatIsOverLeavesTheTimerAndThenGivesTheGraphBack(t *testing.T) {
	v := following(t, 96000, 32)
	v.down("a")
	v.pass(idleAfter - time.Second)
	v.driven(96000, 32)
	v.pass(2 * time.Second)
	v.driven(0, 0)
	if v.graph != v.audio.own || v.core.calls[len(v.core.calls)-1] != fmt.Sprintf("graph %d", testRate) {
		t.Errorf("%+v, %q", v.graph, v.core.calls[len(v.core.calls)-3:])
	}
	if d, err := v.describeItself(); err != nil || d.RateHz != testRate || d.PeriodFrames != testPeriod {
		t.Errorf("it says of itself %+v, %v", d, err)
	}
}

func TestALeaderThatComesBackFindsTheGraphAsItWas(t *testing.T) {
	v := following(t, 96000, 32)
	v.down("a")
	v.pass(5 * time.Second)
	v.up(led("b", proto.Host, 96000, 32))
	v.pass(idleAfter + time.Second)
	v.driven(96000, 32)
	if n := count(v.core.calls, "follow 96000 32"); n != 1 {
		t.Errorf("driven %d times", n)
	}
	v.state(status.SessionUp, status.Follows)
}

func TestALeaderWithAnotherPeriodIsFollowedAtThat(t *testing.T) {
	v := following(t, 96000, 32)
	v.down("a")
	v.up(led("b", proto.Host, 48000, 128))
	v.pass(time.Second)
	v.driven(48000, 128)
	v.state(status.SessionUp, status.Follows)
	if v.core.receiver.PeriodFrames != 128 || v.core.sender.PacketFrames != 128 {
		t.Errorf("%+v, %+v", v.core.receiver, v.core.sender)
	}
}

func TestAPeerWithItsOwnClockGetsTheGraphBackFirst(t *testing.T) {
	v := following(t, testRate, 32)
	v.down("a")
	v.up(agreed("b"))
	v.driven(0, 0)
	v.state(status.SessionUp, "")
	if v.core.receiver.Lock != stream.Unlocked || v.core.sender.Lock != stream.Unlocked {
		t.Errorf("%+v, %+v", v.core.receiver, v.core.sender)
	}

	v = following(t, 96000, 32) // whose rate was agreed on while it was the leader's
	v.down("a")
	s := agreed("b")
	s.Agreement.Send.RateHz, s.Agreement.Receive.RateHz = 96000, 96000
	v.up(s)
	v.driven(0, 0)
	v.calledPeer("renegotiate")
}

func TestAGraphThatCannotFollowIsARefusedStreamUntilItCan(t *testing.T) {
	v := newVirtual(t)
	v.audio.follows, v.audio.followErr = true, errors.New("PipeWire does not take a quantum of 32 frames")
	v.openAudio()
	v.up(led("a", proto.Host, 96000, 32))
	v.driven(0, 0)
	v.pass(3 * time.Second)
	s := v.state(status.SessionFailed, status.Follows)
	if want := "cannot send or receive: PipeWire does not take a quantum of 32 frames"; s.Session.LastError != want {
		t.Errorf("%q, want %q", s.Session.LastError, want)
	}
	if hasProblem(s, health.SendRefused) == "" || hasProblem(s, health.ReceiveRefused) == "" || s.Audio.State != status.AudioRunning {
		t.Errorf("%+v, %+v", s.Problems, s.Audio)
	}
	v.logged("does not take a quantum", 2) // of each direction once
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("it streams all the same")
	}
	v.audio.set(func(a *fakeAudio) { a.followErr = nil })
	v.pass(5 * time.Second)
	v.driven(96000, 32)
	v.state(status.SessionUp, status.Follows)
	if n := count(v.audio.called(), "follow 96000 32"); n < 2 || n > 6 {
		t.Errorf("tried %d times", n)
	}
}

func TestAGraphThatKeepsTheLeadersClockIsNotSaidToHaveItsOwn(t *testing.T) {
	v := following(t, 96000, 32)
	v.audio.set(func(a *fakeAudio) { a.keepsLeader = errors.New("PipeWire is gone") })
	v.down("a")
	v.pass(idleAfter + time.Second)
	v.logged("does not get its own clock back", 1)
	v.logged("has its own clock again", 0)
}

func TestARateThatTheUserAskedForIsNotGivenUpForALeader(t *testing.T) {
	v := newVirtual(t, func(s *Settings) { s.RateHz = testRate })
	v.audio.follows = true
	v.openAudio()
	v.up(led("a", proto.Host, 96000, 32))
	s := v.state(status.SessionFailed, status.Follows)
	if want := "the host leads at 96000 Hz, --rate asks for 48000 Hz"; !strings.Contains(s.Session.LastError, want) {
		t.Errorf("%q, want %q", s.Session.LastError, want)
	}
}

func TestAGraphThatStraysIsBroughtBack(t *testing.T) {
	v := newVirtual(t)
	v.audio.follows = true
	v.openAudio()
	v.up(led("a", proto.Host, 96000, 32))
	v.runs, v.core.packets = true, true
	v.audio.set(func(a *fakeAudio) { a.graph.PeriodFrames = 256 })
	v.audioEvent(audio.Changed)
	v.pass(settleFor / 2)
	if v.state(status.SessionUp, status.Follows); v.graph.PeriodFrames != 32 {
		t.Errorf("what a graph does on its way counts: %+v", v.graph)
	}
	v.pass(settleFor)
	s := v.state(status.SessionFailed, status.Follows)
	want := "JACK server lab runs at 96000 Hz with a period of 256 frames, the host, which leads, at 96000 Hz with 32 frames"
	if !strings.Contains(s.Session.LastError, want) {
		t.Errorf("%q, want %q", s.Session.LastError, want)
	}
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("it streams all the same")
	}
	v.pass(2 * time.Second)
	v.driven(96000, 32)
	v.state(status.SessionUp, status.Follows)
}

func TestAGraphThatStraysSaysWhoHoldsIt(t *testing.T) {
	v := newVirtual(t)
	v.audio.follows = true
	v.End.audio = &troubledAudio{fakeAudio: v.audio, why: "another program holds the graph there"}
	v.openAudio()
	v.up(led("a", proto.Host, 96000, 32))
	v.audio.set(func(a *fakeAudio) { a.graph.PeriodFrames = 256 })
	v.audioEvent(audio.Changed)
	v.pass(3 * settleFor / 2)
	s := v.state(status.SessionFailed, status.Follows)
	if want := "at 96000 Hz with 32 frames: another program holds the graph there"; !strings.HasSuffix(s.Session.LastError, want) {
		t.Errorf("%q, want %q", s.Session.LastError, want)
	}
}

// It looks well at the leader: answers are late or do not come.
func TestAFollowerWhoseGraphIsNotDrivenTellsItsLeader(t *testing.T) {
	for lock, said := range map[string]string{status.Follows: "no netone answers", "": ""} {
		v := newVirtual(t)
		v.audio.follows = true
		server := &troubledAudio{fakeAudio: v.audio}
		v.End.audio = server
		v.openAudio()
		session := agreed("a")
		if lock == status.Follows {
			session = led("a", proto.Host, testRate, testPeriod)
		}
		v.up(session)
		v.runs, v.core.packets = true, true
		server.trouble = "no netone answers"
		v.pass(3 * time.Second)
		s := v.state(status.SessionUp, lock)
		if hasProblem(s, health.AudioMute) == "" {
			t.Errorf("%+v", s.Problems)
		}
		if told := v.reports(); told[len(told)-1].Refused != said {
			t.Errorf("%q: told %q, want %q", lock, told[len(told)-1].Refused, said)
		}
		server.trouble = ""
		v.pass(3 * time.Second)
		if told := v.reports(); told[len(told)-1].Refused != "" {
			t.Errorf("%q: later told %q", lock, told[len(told)-1].Refused)
		}
	}
}

func TestAFollowersAudioServerIsLostAndBack(t *testing.T) {
	v := following(t, 96000, 32)
	v.audioEvent(audio.Lost)
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("it streams without an audio server")
	}
	v.pass(time.Second) // it opens as it was told
	v.driven(96000, 32)
	v.state(status.SessionUp, status.Follows)
	if v.core.sender == nil || v.core.receiver == nil || v.core.receiver.Lock != stream.Follows {
		t.Errorf("%+v", v.core.receiver)
	}
}

func TestALeadersNewPeriodIsAgreedOnAnew(t *testing.T) {
	v := leading(t)
	v.audio.set(func(a *fakeAudio) { a.graph.PeriodFrames = 128 })
	v.audioEvent(audio.Changed)
	v.calledPeer("renegotiate")
	v.down("a")
	v.up(led("b", proto.Guest, testRate, testPeriod)) // what was agreed before it changed
	v.calledPeer("renegotiate")
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("it streams with a period that it does not have")
	}
	v.down("b")
	v.up(led("c", proto.Guest, testRate, 128))
	v.calledPeer()
	v.state(status.SessionUp, status.Leads)
	if v.core.receiver.PeriodFrames != 128 || v.core.sender.PacketFrames != 128 {
		t.Errorf("%+v, %+v", v.core.receiver, v.core.sender)
	}
}

func TestALeadersAudioServerIsLostAndComesBackWithAnotherPeriod(t *testing.T) {
	v := leading(t)
	v.audioEvent(audio.Lost)
	v.audio.set(func(a *fakeAudio) { a.graph.PeriodFrames = 256 })
	v.pass(time.Second)
	v.calledPeer("renegotiate")
}

// netone is a graph that has no clock but ours.
func netone(t *testing.T) *virtual {
	v := newVirtual(t, func(s *Settings) { s.Driven = true })
	v.audio.follows, v.audio.only = true, audio.Graph{RateHz: testRate, PeriodFrames: testPeriod}
	v.openAudio()
	return v
}

func TestAGraphWithoutAClockIsDrivenFromWhenItIsOpen(t *testing.T) {
	v := netone(t)
	v.driven(testRate, testPeriod)
	if d, err := v.describeItself(); err != nil || d.Follows != proto.FollowsOwn || d.PeriodFrames != testPeriod {
		t.Errorf("%+v, %v", d, err)
	}
	v.up(led("a", proto.Host, testRate, testPeriod))
	v.state(status.SessionUp, status.Follows)
	v.down("a")
	v.pass(idleAfter + time.Second)
	v.driven(testRate, testPeriod)
	if n := count(v.core.calls, fmt.Sprintf("follow %d %d", testRate, testPeriod)); n != 1 {
		t.Errorf("driven %d times", n)
	}
}

func TestTheGraphOfSeveralEndsIsNotDriven(t *testing.T) {
	v := newVirtualOf(t, func(p *Parts) { p.Shared = true }, func(s *Settings) { s.Driven = true })
	v.audio.follows, v.audio.only = true, audio.Graph{RateHz: testRate, PeriodFrames: testPeriod}
	v.openAudio()
	v.driven(0, 0)
	if d, err := v.describeItself(); err != nil || d.Follows != proto.FollowsNothing {
		t.Errorf("it says of itself %+v, %v", d, err)
	}
	v.up(led("a", proto.Host, testRate, testPeriod))
	v.driven(0, 0)
	v.state(status.SessionFailed, status.Follows)
	v.down("a")
	v.pass(idleAfter + time.Second)
	if n := count(v.audio.called(), "follow 0 0"); n != 0 {
		t.Errorf("it got its clock back %d times", n)
	}
}

// A core that is told to follow plays nothing of a session in which nobody leads.
func TestAGraphWithoutAClockPlaysWhereNobodyLeads(t *testing.T) {
	v := netone(t)
	v.up(agreed("a"))
	v.state(status.SessionUp, "")
	if v.core.driven != (audio.Graph{}) {
		t.Errorf("the core drives %+v", v.core.driven)
	}
	v.down("a")
	v.pass(idleAfter + time.Second)
	v.up(led("b", proto.Host, testRate, testPeriod))
	v.state(status.SessionUp, status.Follows)
	v.driven(testRate, testPeriod)
}

func TestAGraphWithoutAClockThatComesBackWithAnotherPeriodIsAgreedOnAnew(t *testing.T) {
	v := netone(t)
	v.up(led("a", proto.Host, testRate, testPeriod))
	v.audioEvent(audio.Lost)
	v.audio.set(func(a *fakeAudio) {
		a.only.PeriodFrames = 256
		a.graph = a.only
	})
	v.pass(time.Second)
	v.driven(testRate, 256)
	v.calledPeer("renegotiate")
	if v.core.receiver != nil {
		t.Error("it follows at a period that it does not have")
	}
}

func TestAGraphWithoutAClockThatCannotBeDrivenIsWaitedFor(t *testing.T) {
	v := newVirtual(t, func(s *Settings) { s.Driven = true })
	v.audio.follows, v.audio.only, v.audio.followErr = true, audio.Graph{RateHz: testRate, PeriodFrames: testPeriod}, errors.New("nothing listens at UDP port 3000")
	v.openAudio()
	s := v.state(status.SessionWaiting, "")
	if s.Audio.State != status.AudioAbsent || s.Audio.Reason != "nothing listens at UDP port 3000" || count(v.audio.called(), "close") != 1 {
		t.Errorf("%+v, %q", s.Audio, v.audio.called())
	}
	v.audio.set(func(a *fakeAudio) { a.followErr = nil })
	v.pass(time.Second)
	v.driven(testRate, testPeriod)
}

func TestALockedPeersPauseDoesNotMuteWhatNobodyUnmutes(t *testing.T) {
	for _, v := range []*virtual{leading(t), following(t, testRate, testPeriod)} {
		v.core.playing, v.core.packets = true, false
		v.peerSays(proto.Report{SSRC: v.session.Agreement.PeerSSRC, Paused: true})
		v.pass(tick)
		if v.streams.peer.pausedNs == 0 || !v.core.playing {
			t.Errorf("paused %v, playing %v", v.streams.peer.pausedNs, v.core.playing)
		}
	}
}

func TestALockedEndFreewheelsAndGoesOnLocked(t *testing.T) {
	for want, v := range map[stream.Lock]*virtual{stream.Leads: leading(t), stream.Follows: following(t, testRate, testPeriod)} {
		v.audio.set(func(a *fakeAudio) { a.graph.Freewheels = true })
		v.audioEvent(audio.Changed)
		if v.core.sender != nil || v.core.receiver != nil {
			t.Error("it streams while it freewheels")
		}
		v.audio.set(func(a *fakeAudio) { a.graph.Freewheels = false })
		v.audioEvent(audio.Changed)
		if v.core.receiver == nil || v.core.receiver.Lock != want || v.core.sender.Lock != want {
			t.Errorf("%+v", v.core.receiver)
		}
		v.calledPeer()
	}
}

// What both graphs are told must add up to the periods in which the leader has its answer.
func TestWhatTheTwoGraphsAreToldIsTheAnswersPeriods(t *testing.T) {
	for _, periods := range []int{1, 2} {
		leader := leading(t, func(s *Settings) { s.AnswerPeriods = periods })
		if want := fmt.Sprintf("latency 0 %d", periods*testPeriod); !slices.Contains(leader.audio.called(), want) {
			t.Errorf("the leader's graph is told %q, want %q", leader.audio.called(), want)
		}
	}
	follower := following(t, testRate, testPeriod)
	if want := fmt.Sprintf("latency %d 0", testPeriod); !slices.Contains(follower.audio.called(), want) {
		t.Errorf("the follower's graph is told %q, want %q", follower.audio.called(), want)
	}
}

// The way to the follower and the way back are what the two periods of a cycle leave.
func TestTheLatenciesOfBothWaysAddUpToTheAnswersPeriods(t *testing.T) {
	const periodNs = int64(testPeriod) * 1e9 / testRate
	w := way{wire: 200 * time.Microsecond, there: 150 * time.Microsecond, back: 150 * time.Microsecond}
	for _, periods := range []int{1, 2} {
		v := leading(t, func(s *Settings) { s.AnswerPeriods = periods })
		for range 3 {
			v.answer(w)
			v.peerSays(proto.Report{SSRC: peerSSRC, Latency: &proto.Latency{SSRC: ourSSRC, OneWay: 350 * time.Microsecond, Error: 20 * time.Microsecond}})
		}
		v.pass(time.Second)
		s := v.state(status.SessionUp, status.Leads)
		there, back := s.Directions.Send.LatencyMs.Bridge, s.Directions.Receive.LatencyMs.Bridge
		if sum := float64(there + back); there == 0 || math.Abs(sum-float64(int64(periods)*periodNs)/1e6) > 0.001 {
			t.Errorf("%d periods: %v there and %v back", periods, there, back)
		}
		if stages := s.Directions.Receive.LatencyStagesMs; stages.Playout != 0 || stages.Resample != 0 || stages.Wait <= 0 {
			t.Errorf("%+v", stages)
		}
	}
	v := following(t, testRate, testPeriod)
	v.answer(w)
	v.pass(time.Second)
	s := v.state(status.SessionUp, status.Follows)
	if got := float64(s.Directions.Receive.LatencyMs.Bridge); math.Abs(got-0.2) > 0.02 || s.Directions.Receive.LatencyBy == "" {
		t.Errorf("to the follower: %v ms, by %q, want the wire's 0.2", got, s.Directions.Receive.LatencyBy)
	}
}

// late lets seconds pass in which answers of a share of the cycles are late.
func (v *virtual) late(seconds, perSecond int) {
	for range seconds {
		v.core.counters.Received.Unanswered += uint64(perSecond)
		v.pass(time.Second)
	}
}

func TestAFollowerThatNeedsMoreThanAPeriodIsGivenTwoAndKeepsThem(t *testing.T) {
	v := leading(t)
	v.late(3, 50) // while its graph is set going
	if v.core.receiver.AnswerPeriods != 1 {
		t.Fatal("what happens at the start counts")
	}
	v.late(70, 0)
	v.late(2, 2) // 4 of 45000 in a minute are not too many
	v.late(70, 0)
	if v.core.receiver.AnswerPeriods != 1 {
		t.Fatalf("%+v", v.core.receiver)
	}
	starts := count(v.core.calls, "start receiver")
	v.late(12, 1)
	if v.core.receiver.AnswerPeriods != 2 || count(v.core.calls, "start receiver") != starts+1 {
		t.Errorf("%+v", v.core.receiver)
	}
	v.late(60, 5)
	v.late(120, 0)
	if v.core.receiver.AnswerPeriods != 2 || count(v.core.calls, "start receiver") != starts+1 {
		t.Errorf("later: %+v", v.core.receiver)
	}
	v.logged("together need more than a period", 1)
	if s := v.state(status.SessionUp, status.Leads); s.Session.AnswerPeriods != 2 {
		t.Errorf("%+v", s.Session)
	}
	if want := fmt.Sprintf("latency 0 %d", 2*testPeriod); !slices.Contains(v.audio.called(), want) {
		t.Errorf("the graph is told %q", v.audio.called())
	}
	v.down("a")
	v.up(led("b", proto.Guest, testRate, testPeriod))
	if v.core.receiver.AnswerPeriods != 1 {
		t.Error("the next session does not begin with one")
	}
}

func TestPeriodsForAnswersThatTheUserChoseStay(t *testing.T) {
	for _, periods := range []int{1, 2} {
		v := leading(t, func(s *Settings) { s.AnswerPeriods = periods })
		v.pass(5 * time.Second)
		v.late(10, 5)
		v.late(4, 0)
		s := v.state(status.SessionUp, status.Leads)
		if v.core.receiver.AnswerPeriods != periods {
			t.Errorf("%d became %d", periods, v.core.receiver.AnswerPeriods)
		}
		text := hasProblem(s, health.AnswersLate)
		if !strings.Contains(text, "the host's answers are late: 50 of ") || strings.Contains(text, "--answer-periods 2") != (periods == 1) {
			t.Errorf("%d: %q", periods, text)
		}
	}
}

func TestAFollowerSaysWhatDrivesItAndWhatItsGraphLost(t *testing.T) {
	v := following(t, testRate, testPeriod)
	v.pass(5 * time.Second)
	v.core.counters.Received.GivenUp += 3
	v.pass(time.Second)
	s := v.state(status.SessionUp, status.Follows)
	if text := hasProblem(s, health.CyclesLost); !strings.Contains(text, "lost 3 of ") {
		t.Errorf("%q", text)
	}
	v.core.packets = false
	v.pass(3 * time.Second)
	s = v.state(status.SessionUp, status.Follows)
	if text := hasProblem(s, health.TimerDrives); text != "no packets of the host, which leads: a timer drives the graph" {
		t.Errorf("%q: %+v", text, s.Problems)
	}
	v.core.packets = true
	v.pass(62 * time.Second)
	if s = v.state(status.SessionUp, status.Follows); len(s.Problems) != 0 {
		t.Errorf("%+v", s.Problems)
	}
}

// locking are a guest and a host on real signaling, with graphs of different periods.
func locking(t *testing.T, guestWish, hostWish proto.ClockWish, guestCalls bool) (guest, host *live) {
	guest, host = pair(t, guestCalls, !guestCalls, func(guest, host *Settings) { guest.Clock, host.Clock = guestWish, hostWish })
	guest.audio.follows, host.audio.follows = true, true
	host.audio.graph = audio.Graph{RateHz: 96000, PeriodFrames: 32}
	guest.start()
	host.start()
	return guest, host
}

func (l *live) parts() (sends, receives stream.Lock) {
	sender, receiver := l.plans()
	if sender == nil || receiver == nil {
		return -1, -1
	}
	return sender.Lock, receiver.Lock
}

func TestALeaderAndAFollowerFindEachOtherWhoeverCallsAndAgreeAnewWhenTheLeaderChanges(t *testing.T) {
	for _, guestCalls := range []bool{true, false} {
		for _, wishes := range [][2]proto.ClockWish{
			{proto.ClockFollow, proto.ClockLead}, {proto.ClockAuto, proto.ClockLead}, {proto.ClockFollow, proto.ClockAuto},
		} {
			guest, host := locking(t, wishes[0], wishes[1], guestCalls)
			at := func(rateHz, period int) func() bool {
				return func() bool {
					guestSends, guestReceives := guest.parts()
					hostSends, hostReceives := host.parts()
					sender, receiver := guest.plans()
					return guestSends == stream.Follows && guestReceives == stream.Follows && hostSends == stream.Leads && hostReceives == stream.Leads &&
						sender.PacketFrames == period && receiver.PeriodFrames == period && receiver.Format.RateHz == rateHz
				}
			}
			eventually(t, "the guest follows the host", at(96000, 32))
			host.audio.set(func(a *fakeAudio) { a.graph.PeriodFrames = 128 })
			host.audio.events <- audio.Changed
			eventually(t, "the guest follows at the new period", at(96000, 128))
			host.audio.set(func(a *fakeAudio) { a.graph.RateHz = 48000 })
			host.audio.events <- audio.Changed
			eventually(t, "the guest follows at the new rate", at(48000, 128))
			guest.stop()
			host.stop()
		}
	}
}

func TestEndsThatCannotAgreeOnALeaderBothSayWhy(t *testing.T) {
	for wishes, want := range map[[2]proto.ClockWish]string{
		{proto.ClockLead, proto.ClockLead}:     "both ends are to lead",
		{proto.ClockFollow, proto.ClockFollow}: "both ends are to follow",
		{proto.ClockFollow, proto.ClockFree}:   "the guest is to follow (--clock follow), and the host keeps its own clock (--clock free)",
	} {
		guest, host := locking(t, wishes[0], wishes[1], true)
		for _, end := range []*live{guest, host} {
			eventually(t, want, func() bool { return strings.Contains(end.Status().Session.LastError, want) })
		}
		guest.stop()
		host.stop()
	}
}

func TestALeaderIsToldWhyItsFollowerCannot(t *testing.T) {
	v := leading(t)
	v.core.packets = false
	v.peerSays(proto.Report{SSRC: peerSSRC, Refused: "cannot send or receive: PipeWire's clock.force-quantum is set to 128"})
	v.pass(3 * time.Second)
	s := v.state(status.SessionUp, status.Leads)
	if text := hasProblem(s, health.PeerRefused); text != "the host says: cannot send or receive: PipeWire's clock.force-quantum is set to 128" {
		t.Errorf("%q", text)
	}
	v.peerSays(proto.Report{SSRC: peerSSRC})
	v.core.packets = true
	v.pass(time.Second)
	if s := v.state(status.SessionUp, status.Leads); hasProblem(s, health.PeerRefused) != "" {
		t.Errorf("%+v", s.Problems)
	}
}

func TestAFollowerThatCannotTellsItsLeader(t *testing.T) {
	v := newVirtual(t)
	v.audio.follows, v.audio.followErr = true, errors.New("no such quantum")
	v.openAudio()
	v.up(led("a", proto.Host, 96000, 32))
	v.pass(2 * time.Second)
	if told := v.reports(); len(told) == 0 || told[len(told)-1].Refused != "cannot send or receive: no such quantum" {
		t.Errorf("%+v", told)
	}
}

func TestAFollowerThatIsGoneIsNotGivenASecondPeriod(t *testing.T) {
	v := leading(t)
	v.pass(5 * time.Second)
	v.core.packets = false
	for range 8 { // its reports still come
		v.core.counters.Received.Unanswered += 750
		v.peerSays(proto.Report{SSRC: peerSSRC})
		v.pass(time.Second)
	}
	v.core.packets = true
	v.pass(10 * time.Second)
	if v.core.receiver.AnswerPeriods != 1 {
		t.Error("it is taken for late")
	}
}

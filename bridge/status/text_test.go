package status

import (
	"math"
	"strings"
	"testing"
)

func text(t *testing.T, s Status) string {
	t.Helper()
	var b strings.Builder
	if err := WriteText(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextOfARunningEnd(t *testing.T) {
	const want = `guest lab  archibald-bridge 1.2.3, up 1h2m3s
  audio    jack default running, 48000 Hz, 32 frames, real-time, 3 xruns
  machine  processors kept awake, memory locked, audio threads on processors 2,3, real-time by RealtimeKit
  session  up, peer 192.168.122.1:4713, 1 reconnects; counts are since the session began
                              send                             receive
  state                       running                          silent
  peer                        192.168.122.1:4713               192.168.122.1:4713
  format                      F32/48000/2, 32 frames a packet  L24/48000/1, 64 frames a packet
  packets                     1000                             900
  lost                        0                                5
  late, duplicate, recovered                                   4, 3, 2
  concealed frames, dropouts                                   64, 1
  xruns                       0                                7
  buffer (target)                                              40.2 (40.0) frames
  clock                                                        -17.5 ppm
  jitter p50, p99, max        0, 0, 0 us                       35, 113, 753 us
  latency, bridge             0.980 +- 0.040 ms, by peer       -
  latency, stages                                              wire 0.070, wait 0.100, resample 0.250, playout 0.667
  latency, total              2.500 ms                         -
  peak dBFS                   -6.0 -inf                        -20.0
`
	if got := text(t, sample()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTextBeginsWithWhatIsWrong(t *testing.T) {
	s := sample()
	s.Problems = []Problem{
		{"send-errors", SideSend, "cannot send: network is unreachable"},
		{"payload-type", SideReceive, "payload type 98 comes, 97 is expected\x1b[2J"},
	}
	const want = `guest lab  archibald-bridge 1.2.3, up 1h2m3s
  PROBLEM  send: cannot send: network is unreachable
  PROBLEM  receive: payload type 98 comes, 97 is expected [2J
  audio    jack default running`
	if got := text(t, s); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTextSaysWhyDatagramsWereNotSentOrRejected(t *testing.T) {
	s := sample()
	s.Directions.Send.SendErrors = 7
	s.Directions.Receive.Rejected = 1 + 20 + 300 + 4000 + 50000 + 600000 + 7000000
	s.Directions.Receive.RejectedBy = Rejected{1, 20, 300, 4000, 50000, 600000, 7000000}
	const want = "7                                7654321: 1 not the peer's, by the kernel's filter, 20 from another address, " +
		"300 with another SSRC, 4000 with another payload type, 50000 malformed, 600000 far outside the stream, 7000000 RTCP of others or too much\n"
	if got := text(t, s); !strings.Contains(got, "  not sent, rejected          "+want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := text(t, sample()); strings.Contains(got, "not sent") {
		t.Errorf("where nothing was:\n%s", got)
	}
}

func TestTextSaysWhyCallsWereRejected(t *testing.T) {
	s := sample()
	s.Session.RejectedCalls = RejectedCalls{1, 20, 300, 4000}
	const want = "1 by who may not call, 20 that held a connection for too long among others, 300 without the secret, 4000 refused\n"
	if got := text(t, s); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s.Slots = 2
	if got := text(t, s); !strings.Contains(got, want) {
		t.Errorf("of several guests: got\n%s\nwant\n%s", got, want)
	}
	if got := text(t, sample()); strings.Contains(got, "calls") {
		t.Errorf("where none was:\n%s", got)
	}
}

func TestTextOfAHostWithGuestsHasEach(t *testing.T) {
	one, two := sample(), sample()
	one.End, one.Name, two.End, two.Name = "host", "ann", "host", "bob"
	s := Status{End: "host", Version: "1.2.3", Slots: 8, Guests: []Status{one, two}, Session: Session{LastError: "refused a call\x1b"}}
	got := text(t, s)
	for _, part := range []string{"host  archibald-bridge 1.2.3, up 0s\n  guests  2 of 8\n  last error  refused a call \n\nhost ann  archibald-bridge", "\n\nhost bob  archibald-bridge"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
}

func TestTextSaysWhatIsWrong(t *testing.T) {
	s := Status{End: "host", Audio: Audio{Server: "pipewire", State: AudioAbsent}, Session: Session{State: SessionWaiting, LastError: "no route to host"}}
	got := text(t, s)
	for _, part := range []string{"pipewire absent", "processors may sleep until a session is up, memory NOT locked\n", "waiting", "no route to host"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
	s.Audio.Reason, s.Session.LastError = "permission denied", "permission denied"
	if got := text(t, s); !strings.Contains(got, "pipewire absent: permission denied\n") || strings.Count(got, "permission denied") != 1 {
		t.Errorf("the reason is not told once:\n%s", got)
	}
	s.Audio = Audio{Server: "pipewire", State: AudioRunning}
	if got := text(t, s); !strings.Contains(got, "NOT real-time") {
		t.Errorf("threads without real-time scheduling are not pointed out:\n%s", got)
	}
}

func TestTextOfAnExport(t *testing.T) {
	s := sample()
	s.Audio.State, s.Audio.Realtime = AudioFreewheel, false // libjack takes it from them meanwhile
	if got := text(t, s); !strings.Contains(got, "jack default freewheel, as for an export: silence until it ends; 48000 Hz") || strings.Contains(got, "NOT real-time") {
		t.Error(got)
	}
}

func TestTextSaysWhenTheWireIsNotInTheLatency(t *testing.T) {
	s := sample()
	s.Directions.Send.LatencyErrorMs = 0
	if got := text(t, s); !strings.Contains(got, "0.980 ms and the wire") {
		t.Errorf("a latency without the wire looks like one with it:\n%s", got)
	}
}

func TestTextFromThePeerCannotCommandTheTerminal(t *testing.T) {
	s := sample()
	s.Name = "\x1b[2J"
	s.Session.LastError = "a\x1b]0;owned\x07\nb\tc"
	s.Directions.Receive.PeakDBFS = []Decibels{Decibels(math.NaN())}
	got := text(t, s)
	if strings.ContainsAny(got, "\x1b\x07\t") {
		t.Errorf("control characters got through: %q", got)
	}
	if strings.Count(got, "\n") != strings.Count(text(t, sample()), "\n")+1 {
		t.Errorf("a line break got through:\n%s", got)
	}
}

// During a session it is a fault, before one it is as it should be.
func TestTextSaysWhetherProcessorsMaySleepThatShouldNot(t *testing.T) {
	s := sample()
	s.Machine.CPUAwake = false
	if got := text(t, s); !strings.Contains(got, "processors may sleep, memory") {
		t.Errorf("in a session:\n%s", got)
	}
}

func TestTextSaysWhichEndLeads(t *testing.T) {
	for want, session := range map[string]Session{
		"  session  up, leads (answers in 1 period), peer 192.0.2.7:4713, 0": {State: SessionUp, Peer: "192.0.2.7:4713", Locked: Leads, AnswerPeriods: 1},
		"  session  up, leads (answers in 2 periods), 0":                     {State: SessionUp, Locked: Leads, AnswerPeriods: 2},
		"  session  up, follows, 0":                                          {State: SessionUp, Locked: Follows},
		"  session  up, 0":                                                   {State: SessionUp},
	} {
		s := sample()
		s.Session = session
		if got := text(t, s); !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestTextHasTheCountsOfItsPartOnly(t *testing.T) {
	for locked, want := range map[string]string{Leads: "waited, unanswered, left out  ", Follows: "made up, takeovers, given up  ", "": ""} {
		s := sample()
		s.Session.Locked = locked
		d := &s.Directions.Receive
		d.Waited, d.Unanswered, d.LeftOut, d.MadeUp, d.Takeovers, d.GivenUp = 21, 22, 23, 21, 22, 23
		got := text(t, s)
		if strings.Contains(got, "21, 22, 23") != (want != "") || !strings.Contains(got, want) || strings.Count(got, "unanswered")+strings.Count(got, "takeovers") > 1 {
			t.Errorf("%q:\n%s", locked, got)
		}
	}
}

func TestTextSaysBothRatesWhereAStreamIsResampled(t *testing.T) {
	for audio, want := range map[int]string{48000: "+3.2 ppm, resampled from 96000 to 48000 Hz\n", 96000: "+3.2 ppm\n"} {
		s := Status{Audio: Audio{State: AudioRunning, Rate: audio}}
		s.Directions.Receive = Direction{State: DirectionRunning, Rate: 96000, RatioPPM: 3.2}
		if shown := text(t, s); !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
}

package proto

import (
	"fmt"
	"strings"
	"testing"
)

// wishers are a guest and a host with a wish each, and with what their graphs can follow.
func wishers(guestWish, hostWish ClockWish, guestFollows, hostFollows Follows) (g, h Description) {
	g, h = guest(), host()
	g.Clock, h.Clock, g.Follows, h.Follows = guestWish, hostWish, guestFollows, hostFollows
	return g, h
}

func TestAWishForAClockAsText(t *testing.T) {
	for _, c := range []struct {
		wish    ClockWish
		follows Follows
		want    string
	}{
		{ClockAuto, FollowsNothing, "auto"},
		{ClockFree, FollowsNothing, "free"},
		{ClockLead, FollowsOwn, "lead follows=own"},
		{ClockAuto, FollowsAny, "auto follows=any"},
		{ClockFollow, FollowsAny, "follow follows=any"},
		{"", FollowsAny, ""},
	} {
		d := guest()
		d.Clock, d.Follows = c.wish, c.follows
		_, line, found := strings.Cut(string(d.Marshal()), "a=x-archibald-lock:")
		line, _, _ = strings.Cut(line, "\r\n")
		if line != c.want || found != (c.want != "") {
			t.Errorf("%+v: %q", c, line)
		}
	}
}

func TestAWishThatIsNoneIsRefusedAndWhatIsNotKnownIsPassedOver(t *testing.T) {
	g := guest()
	g.Clock, g.Follows = ClockLead, FollowsAny
	text := string(g.Marshal())
	for line, want := range map[string]string{
		"push":                         `SDP line 18: x-archibald-lock "push": legal is auto, free, lead, follow`,
		"":                             `SDP line 18: x-archibald-lock "": legal is auto, free, lead, follow`,
		"lead follows=some":            `SDP line 18: x-archibald-lock follows "some": legal is any, own`,
		"lead follows=any":             "",
		"lead colour=red follows=any ": "",
		"lead  follows=any more":       "",
	} {
		d, err := ParseDescription([]byte(strings.Replace(text, "lock:lead follows=any", "lock:"+line, 1)))
		switch {
		case want == "" && (err != nil || d.Clock != ClockLead || d.Follows != FollowsAny):
			t.Errorf("%q: %q, %q, %v", line, d.Clock, d.Follows, err)
		case want != "" && (err == nil || err.Error() != want):
			t.Errorf("%q: %v\nwant %s", line, err, want)
		}
	}
}

// wanted is who leads by the rule, in other words than agreedLock's: one end at least wishes
// a part, the other takes the other part or any, and can.
func wanted(g, h Description) (leader Role, legal bool) {
	parts := map[ClockWish]string{ClockAuto: "leads follows free", ClockFree: "free", "": "free", ClockLead: "leads", ClockFollow: "follows"}
	var found []Role
	if g.Clock == ClockAuto && h.Clock == ClockAuto || strings.Contains(parts[g.Clock], "free") && strings.Contains(parts[h.Clock], "free") {
		return "", true
	}
	for _, way := range []struct{ leads, follows Description }{{g, h}, {h, g}} {
		if strings.Contains(parts[way.leads.Clock], "leads") && strings.Contains(parts[way.follows.Clock], "follows") {
			same := way.leads.RateHz == way.follows.RateHz && way.leads.PeriodFrames == way.follows.PeriodFrames
			if way.follows.Follows == FollowsAny || way.follows.Follows == FollowsOwn && same {
				found = append(found, way.leads.Role)
			}
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

func TestExactlyOneEndLeadsWhereOneIsToAndBothEndsKnowIt(t *testing.T) {
	settled, led := 0, 0
	all := append([]ClockWish{""}, ClockWishes...)
	follows := []Follows{FollowsNothing, FollowsAny, FollowsOwn}
	for _, guestWish := range all {
		for _, hostWish := range all {
			for i := range 9 * 4 {
				g, h := wishers(guestWish, hostWish, follows[i%3], follows[i/3%3])
				switch i / 9 {
				case 0:
					h.PeriodFrames, h.PacketFrames = g.PeriodFrames, g.PacketFrames
				case 1: // another period
				case 2:
					h.PeriodFrames, h.PacketFrames, h.RateHz = g.PeriodFrames, g.PacketFrames, 96000
				case 3: // several packets a period
					h.PeriodFrames, h.PacketFrames = 1024, 128
				}
				leader, legal := wanted(g, h)
				if leader == "" && g.RateHz != h.RateHz {
					legal = false
				}
				for _, caller := range []Role{Guest, Host} {
					offer, answerer := g, h
					if caller == Host {
						offer, answerer = h, g
					}
					name := fmt.Sprintf("guest %q (%q), host %q (%q), %s calls, %d", guestWish, g.Follows, hostWish, h.Follows, caller, i/9)
					answer, atAnswerer, err := Answer(mustParse(t, offer.Marshal()), answerer)
					if legal != (err == nil) {
						t.Fatalf("%s: %v, want legal %v", name, err, legal)
					}
					if err != nil {
						oneLine(t, name, err)
						continue
					}
					atCaller, err := Accept(offer, mustParse(t, answer.Marshal()))
					if err != nil {
						t.Fatalf("%s: the caller refuses the answer: %v", name, err)
					}
					settled++
					agree(t, name, atCaller, atAnswerer)
					if atCaller.Leader != leader {
						t.Fatalf("%s: leads %q, want %q", name, atCaller.Leader, leader)
					}
					if leader != "" {
						led++
						led := map[Role]Description{Guest: g, Host: h}[leader]
						both(t, name, atCaller, led)
						both(t, name, atAnswerer, led)
					}
				}
			}
		}
	}
	if settled < 500 || led < 150 {
		t.Errorf("only %d pairs came to terms, %d with a leader: the test shows little", settled, led)
	}
}

// agree compares what the two ends came to.
func agree(t *testing.T, name string, a, b Agreement) {
	t.Helper()
	if a.Send != b.Receive || a.Receive != b.Send || a.Leader != b.Leader || a.PeriodFrames != b.PeriodFrames || a.Terms != b.Terms {
		t.Fatalf("%s:\ncaller   %+v\nanswerer %+v", name, a, b)
	}
}

// both holds an agreement to the rate and the period of the leader.
func both(t *testing.T, name string, a Agreement, leader Description) {
	t.Helper()
	packet := PacketFrames(a.Receive, leader.PeriodFrames)
	if a.Send.RateHz != leader.RateHz || a.Receive.RateHz != leader.RateHz || a.PeriodFrames != leader.PeriodFrames ||
		a.PeerPeriodFrames != leader.PeriodFrames || a.PeerPacketFrames != packet {
		t.Fatalf("%s: %+v, want %d Hz, %d frames, %d a packet", name, a, leader.RateHz, leader.PeriodFrames, packet)
	}
}

// oneLine holds a refusal to one line that names both ends.
func oneLine(t *testing.T, name string, err error) {
	t.Helper()
	text := err.Error()
	if strings.Contains(text, "\n") || len(text) > 300 || !strings.Contains(text, "guest") || !strings.Contains(text, "host") {
		t.Fatalf("%s: %q", name, text)
	}
}

func TestRefusalsOfALeaderAndAFollower(t *testing.T) {
	for name, c := range map[string]struct {
		guest, host ClockWish
		change      func(g, h *Description)
		want        string
	}{
		"both lead": {ClockLead, ClockLead, nil,
			"both ends are to lead (--clock lead on the guest and on the host): set one of them to follow, or to auto"},
		"both follow": {ClockFollow, ClockFollow, nil,
			"both ends are to follow (--clock follow on the guest and on the host): set one of them to lead, or to auto"},
		"the host stays free": {ClockLead, ClockFree, nil,
			"the guest is to lead (--clock lead), and the host keeps its own clock (--clock free): set both to auto, or the host to follow"},
		"the guest stays free": {ClockFree, ClockFollow, nil,
			"the host is to follow (--clock follow), and the guest keeps its own clock (--clock free): set both to auto, or the guest to lead"},
		"an older host": {ClockLead, "", nil,
			"the guest is to lead (--clock lead), which the host does not know: install the same release at both ends, or set --clock auto"},
		"it cannot": {ClockFollow, ClockAuto, func(g, _ *Description) { g.Follows = FollowsNothing },
			"the guest is to follow the host, and its audio server cannot: PipeWire can, and JACK when started as jackd -S -d netone, with --netone-port on the guest"},
		"another period": {ClockFollow, ClockLead, func(g, _ *Description) { g.Follows = FollowsOwn },
			"the host leads at 48000 Hz with a period of 64 frames, and the guest, which follows, can only have 48000 Hz and 32 frames: start JACK there with the leader's rate and period, or let go of PipeWire's clock.force-rate and clock.force-quantum"},
		"no way back": {ClockFollow, ClockLead, func(g, _ *Description) { g.SendChannels = 0 },
			"the host leads and the guest follows, which needs both directions: the host sends 2 and receives 2 channels, the guest sends 0 and receives 2"},
		"repeats later": {ClockAuto, ClockLead, func(g, _ *Description) { g.Redundancy = Redundancy{1, 2} },
			"the host leads and the guest follows, where a repeat some periods later is of no use: set --redundancy-distance 0 at both ends"},
		"coded": {ClockAuto, ClockLead, func(g, h *Description) { g.Payloads, h.Payloads = Payloads(Opus), Payloads(Opus) },
			"the host leads and the guest follows, which cannot be with opus: set another --format at both ends"},
		"no period": {ClockFollow, ClockAuto, func(_, h *Description) { h.PeriodFrames = 0 },
			"the host leads and the guest follows, and the host does not say its period"},
		"no period of the follower": {ClockFollow, ClockAuto, func(g, _ *Description) { g.PeriodFrames = 0 },
			"the host leads and the guest follows, and the guest does not say its period"},
		"rates without a leader": {ClockAuto, ClockAuto, func(_, h *Description) { h.RateHz = 44100 },
			"the guest runs at 48000 Hz, the host at 44100 Hz: set both audio servers to the same rate"},
	} {
		t.Run(name, func(t *testing.T) {
			g, h := wishers(c.guest, c.host, FollowsAny, FollowsAny)
			if c.change != nil {
				c.change(&g, &h)
			}
			_, _, err := Answer(g, h)
			if err == nil || err.Error() != c.want {
				t.Errorf("Answer: got  %v\nwant %s", err, c.want)
			}
			if _, acceptErr := Accept(g, h); acceptErr == nil || acceptErr.Error() != c.want {
				t.Errorf("Accept: got %v", acceptErr)
			}
		})
	}
}

func TestRepeatsAtOnceGoWithALeader(t *testing.T) {
	g, h := wishers(ClockFollow, ClockLead, FollowsAny, FollowsNothing)
	g.Redundancy = Redundancy{2, 0}
	if a, _ := settle(t, g, h); a.Leader != Host || a.Redundancy != g.Redundancy {
		t.Errorf("%+v", a)
	}
}

func TestAnEndThatSaysNoWishGetsNoneInTheAnswer(t *testing.T) {
	g, h := wishers("", ClockAuto, "", FollowsAny)
	answer, _, err := Answer(g, h)
	if err != nil || answer.Clock != "" || strings.Contains(string(answer.Marshal()), "lock") {
		t.Errorf("%v\n%s", err, answer.Marshal())
	}
}

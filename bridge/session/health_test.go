package session

import (
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// remote is a peer that reports each second.
type remote struct {
	sent, octets uint32 // grow by these each second; sent 0: receiver reports
	hears        uint32 // new packets of ours each second
	mute         bool   // no report comes

	packets, bytes, highest uint32
}

func (v *virtual) with(r *remote, d time.Duration) {
	v.t.Helper()
	for range int(d / time.Second) {
		r.packets, r.bytes, r.highest = r.packets+r.sent, r.bytes+r.octets, r.highest+r.hears
		report := proto.Report{SSRC: peerSSRC}
		if r.packets > 0 {
			report.Sender = &proto.SenderInfo{Packets: r.packets, Octets: r.bytes}
		}
		if r.highest > 0 {
			report.Receptions = []proto.Reception{{SSRC: ourSSRC, HighestSequence: r.highest}}
		}
		if !r.mute {
			v.peerSays(report)
		}
		v.pass(time.Second)
	}
}

// talking is an end that sends and receives as it should.
func talking(t *testing.T, change ...func(*Settings)) (*virtual, *remote) {
	v := playing(t, change...)
	v.core.sends = 512
	r := &remote{sent: 750, octets: 750 * 1248, hears: 750}
	v.with(r, 5*time.Second)
	return v, r
}

// wrong judges the problems of an end: a code and a part of the text for each.
func (v *virtual) wrong(when string, want ...string) {
	v.t.Helper()
	found := v.Status().Problems
	ok := len(found) == len(want)/2
	for i := 0; ok && i < len(found); i++ {
		ok = found[i].Code == want[2*i] && strings.Contains(found[i].Text, want[2*i+1])
	}
	if !ok {
		v.t.Errorf("%s: %+v, want %q", when, found, want)
	}
}

func TestAHealthyPairHasNoProblems(t *testing.T) {
	v, r := talking(t)
	v.with(r, 2*time.Minute)
	v.wrong("with sound both ways")
	v.logged("level=WARN", 0)
	s := v.Status()
	if s.Session.State != status.SessionUp || s.Directions.Send.State != status.DirectionRunning || s.Directions.Receive.State != status.DirectionRunning {
		t.Errorf("%+v", s)
	}
	r.mute = true // reports get lost, sound does not
	v.with(r, 3*time.Second)
	v.wrong("without three reports")
}

func TestWhyNothingCanBeSentIsSaidAndTakenBack(t *testing.T) {
	for errno, words := range map[syscall.Errno]string{
		syscall.ENETUNREACH: "network is unreachable", syscall.EHOSTUNREACH: "no route to host", syscall.EPERM: "operation not permitted",
		syscall.EMSGSIZE: "message too long", syscall.ENODEV: "no such device", syscall.EADDRNOTAVAIL: "cannot assign requested address",
	} {
		v, r := talking(t)
		v.core.fails, r.hears = errno, 0
		v.with(r, 4*time.Second)
		v.wrong(words, health.SendErrors, "cannot send to 192.0.2.7:4713: "+words)
		if d := v.Status().Directions.Send; d.State != status.DirectionFailed || d.SendErrors == 0 {
			t.Errorf("%s: %+v", words, d)
		}
		v.with(r, 20*time.Second)
		v.logged(words, 1)
		v.core.fails, r.hears = 0, 750
		v.with(r, 5*time.Second)
		v.wrong("again")
		v.logged("problem over", 1)
		if d := v.Status().Directions.Send; d.State != status.DirectionRunning || d.SendErrors != d.Total.SendErrors {
			t.Errorf("%s, over: %+v", words, d)
		}
	}
}

func TestAPlainSenderWithoutANetworkSaysSo(t *testing.T) {
	v := newVirtual(t, static, func(c *Settings) { c.ReceiveChannels = 0 })
	v.core.sends, v.core.fails, v.runs = 384, syscall.ENETUNREACH, true
	v.openAudio()
	v.pass(4 * time.Second)
	v.wrong("no network", health.SendErrors, "network is unreachable")
	if d := v.Status().Directions.Send; d.State != status.DirectionFailed || d.Packets != 0 {
		t.Errorf("%+v", d)
	}
}

func TestWhyNothingIsHeardIsSaidWithinFiveSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(v *virtual, r *remote)
		code   string
		text   string
	}{
		"large datagrams do not come, reports do": {func(v *virtual, r *remote) { v.core.packets = false },
			health.MTU, "the host sends, but its datagrams of 1260 bytes do not arrive, and its reports, which are small, do; is the path's MTU below 1288? Set it, or give the host a smaller --ptime or less --channels"},
		"small datagrams do not come, reports do": {func(v *virtual, r *remote) { v.core.packets, r.octets = false, 750*128 },
			health.Blocked, "no sound: is there a firewall before 0.0.0.0:4713?"},
		"the peer sends no more": {func(v *virtual, r *remote) { v.core.packets, r.sent = false, 0 },
			health.PeerSilent, "the host reports, and says that it sends nothing"},
		"nothing comes at all": {func(v *virtual, r *remote) { v.core.packets, r.mute = false, true },
			health.NothingComes, "neither sound nor reports: is UDP to 0.0.0.0:4713 blocked"},
		"our graph stands still": {func(v *virtual, r *remote) { v.runs = false },
			health.GraphStopped, "nothing is sent: JACK server lab runs no cycle of ours"},
	} {
		v, r := talking(t)
		c.change(v, r)
		v.with(r, 4*time.Second)
		found := v.Status().Problems
		if len(found) == 0 || found[0].Code != c.code || !strings.Contains(found[0].Text, c.text) {
			t.Errorf("%s: %+v, want %s %q", name, found, c.code, c.text)
		}
		v.logged(c.text, 1)
	}
}

// What the last reports said was so before the path broke, and tells nothing about why
// it did.
func TestAPathThatBreaksForAllIsNotTakenForANarrowOne(t *testing.T) {
	for offMs := range 10 {
		v, r := talking(t)
		v.core.packets = false
		v.pass(time.Duration(offMs) * 100 * time.Millisecond)
		v.peerSays(proto.Report{SSRC: peerSSRC, Sender: &proto.SenderInfo{Packets: r.packets + 700, Octets: r.bytes + 700*1248}})
		r.packets += 700
		for range 100 {
			v.pass(100 * time.Millisecond)
			for _, p := range v.Status().Problems {
				if p.Code != health.NothingComes {
					t.Fatalf("with the last report after %d ms: %+v", 100*offMs, p)
				}
			}
		}
		v.logged("neither sound nor reports", 1)
	}
}

// What holds up a graph can hold up the reports, too: they come late and together.
func TestAnEndWhoseGraphStoodStillIsNotTakenForUnreachable(t *testing.T) {
	v, r := talking(t)
	v.core.packets = false
	v.pass(2300 * time.Millisecond)
	r.packets += 300 // sent before it stood still
	v.peerSays(proto.Report{SSRC: peerSSRC, Sender: &proto.SenderInfo{Packets: r.packets, Octets: r.bytes + 300*1248}, Receptions: []proto.Reception{{SSRC: ourSSRC, HighestSequence: r.highest}}})
	v.pass(500 * time.Millisecond)
	v.wrong("with one report")
	r.sent, r.hears = 0, 0
	v.with(r, 4*time.Second)
	v.wrong("with more", health.NotHeard, "neither sends nor receives: see its status", health.PeerSilent, "says that it sends nothing")

	v, r = talking(t) // and this is what its own end sees
	for range 3 {
		v.peerSays(proto.Report{SSRC: peerSSRC, Sender: &proto.SenderInfo{Packets: r.packets, Octets: r.bytes}, Receptions: []proto.Reception{{SSRC: ourSSRC, HighestSequence: r.highest}}})
	}
	v.core.counters.Received.Outside += 500
	v.pass(time.Second)
	v.wrong("three reports at once")
}

// It was never there, from the first moment of the session.
func TestAPathThatIsTooNarrowFromTheStartIsSaidWithinFiveSeconds(t *testing.T) {
	for channels, bytes := range map[int]string{8: "1036", 2: "780"} {
		v := newVirtual(t)
		v.openAudio()
		v.up(agreed("a"))
		v.runs = true
		r := &remote{sent: 1500, octets: 1500 * uint32(32*channels*4), hears: 750}
		if channels == 2 {
			r.octets = 1500 * 768
		}
		v.core.sends = 512
		v.with(r, 4*time.Second)
		v.wrong("never a packet", health.MTU, bytes+" bytes")
	}
}

// The other end of the same path.
func TestAnEndThatIsNotHeardSaysSo(t *testing.T) {
	for _, c := range []struct {
		payload int
		text    string
	}{
		{1248, "do datagrams of 1260 bytes not arrive, is the path's MTU below 1288? Set it, or give the guest a smaller --ptime or less --channels"},
		{128, "is there a firewall on the way to 192.0.2.7:4713?"},
	} {
		v, r := talking(t)
		v.core.sends, r.hears = c.payload, 0
		v.with(r, 5*time.Second)
		v.wrong("no longer", health.NotHeard, c.text)

		v = playing(t)
		v.core.sends = c.payload
		v.with(&remote{sent: 750, octets: 750 * 512}, 5*time.Second)
		v.wrong("never", health.NotHeard, c.text)
	}
}

func TestAnEndThatHasNothingToSendIsNotSaidToBeUnheard(t *testing.T) {
	v := playing(t)
	v.with(&remote{sent: 750, octets: 750 * 512}, 10*time.Second)
	v.wrong("nothing was sent")
}

func TestWhatComesInsteadIsSaid(t *testing.T) {
	for code, c := range map[string]struct {
		count func(*stream.ReceiveCounters)
		text  string
	}{
		health.PayloadType: {func(r *stream.ReceiveCounters) { r.WrongPayload += 10 }, "98 is expected"},
		health.WrongSource: {func(r *stream.ReceiveCounters) { r.WrongSource += 10 }, "is expected from 192.0.2.7"},
		health.WrongSSRC:   {func(r *stream.ReceiveCounters) { r.WrongSSRC += 10 }, "another SSRC than the host said"},
		health.Malformed:   {func(r *stream.ReceiveCounters) { r.Malformed += 10 }, "malformed"},
	} {
		v, r := talking(t)
		v.core.packets, r.mute = false, true
		for range 16 {
			c.count(&v.core.counters.Received)
			v.pass(250 * time.Millisecond)
		}
		v.wrong(code, code, c.text)
		v.core.packets, r.mute = true, false
		v.with(r, 4*time.Second)
		v.wrong("sound again")
	}
}

// A sample of what comes is seldom: of others 1 datagram in 64.
func TestWhatSeldomComesInsteadIsSaidAllTheTime(t *testing.T) {
	v, r := talking(t)
	v.core.counters.Received.WrongSSRC += 3 // before it mattered
	v.with(r, time.Second)
	v.core.packets, r.sent = false, 0
	v.with(r, 2*time.Second)
	for range 10 {
		v.core.counters.Received.WrongPayload++
		v.with(r, 4*time.Second)
		v.wrong("one in 4 s", health.PayloadType, "98 is expected")
	}
	v.logged("payload type", 1)
	v.with(r, health.RejectedWindow+2*time.Second)
	v.wrong("no more", health.PeerSilent, "")
}

func TestAFloodOfOthersIsSaidBesideTheSound(t *testing.T) {
	v, r := talking(t)
	for range 10 {
		v.core.counters.Received.WrongSSRC += 5000
		v.core.counters.Received.Malformed += 10
		v.with(r, time.Second)
	}
	v.wrong("flood", health.Rejected, "datagrams a second are rejected: most are with another SSRC")
	v.logged("datagrams rejected", 1)
	v.with(r, time.Minute)
	v.wrong("over")
	v.logged("datagrams rejected", 2)
	v.logged("sum=45090", 1) // of the rest, a minute later
	v.core.counters.Received.WrongSSRC++
	v.with(r, 3*time.Second)
	v.wrong("a stray datagram")
}

func TestAProblemThatComesAndGoesIsToldOnceAMinute(t *testing.T) {
	v, r := talking(t)
	for range 6 { // 2 minutes
		v.core.fails, r.hears = syscall.ENETUNREACH, 0
		v.with(r, 10*time.Second)
		v.core.fails, r.hears = 0, 750
		v.with(r, 10*time.Second)
	}
	v.logged("network is unreachable", 2)
	v.logged("problem over", 2)
}

func TestSilenceThatComesAndGoesIsToldOnceAMinute(t *testing.T) {
	v, r := talking(t)
	for range 30 { // 2 minutes
		v.core.packets, r.sent = false, 0
		v.with(r, 2*time.Second)
		v.core.packets, r.sent = true, 750
		v.with(r, 2*time.Second)
	}
	if n := v.log.count("no sound from the peer"); n < 2 || n > 3 {
		t.Errorf("%d times", n)
	}
	if n, again := v.log.count("no sound from the peer"), v.log.count("sound from the peer again"); n != again {
		t.Errorf("gone %d times, back %d times", n, again)
	}
}

func TestAPlainStreamThatDoesNotComeIsSaid(t *testing.T) {
	v := newVirtual(t, static, func(c *Settings) { c.Listen = netip.MustParseAddrPort("0.0.0.0:5004") })
	v.openAudio()
	v.runs = true
	v.pass(4 * time.Second)
	v.wrong("nothing", health.NothingComes, "nothing comes to 0.0.0.0:5004: does the sender run, and send there?")
	for range 16 {
		v.core.counters.Received.WrongPayload += 100
		v.pass(250 * time.Millisecond)
	}
	v.wrong("another format", health.PayloadType, "97 is expected")
}

func TestProblemsAreGoneWithTheSession(t *testing.T) {
	v, r := talking(t)
	v.core.fails, r.hears = syscall.ENETUNREACH, 0
	v.with(r, 4*time.Second)
	v.wrong("before", health.SendErrors, "")
	v.down("a")
	v.publish()
	v.wrong("after")
	if slices.ContainsFunc(v.Status().Problems, func(p status.Problem) bool { return p.Side == status.SideSend }) {
		t.Error("the send direction has a problem without a session")
	}
}

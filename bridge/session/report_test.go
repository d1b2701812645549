package session

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/report"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

var (
	ourSSRC  = proto.SSRC("", proto.Guest)
	peerSSRC = proto.SSRC("", proto.Host)
)

// counted is an end whose core had a life before this session.
func counted(t *testing.T) *virtual {
	v := newVirtual(t)
	v.core.counters = stream.Counters{
		Sent:     stream.SendCounters{Packets: 5000, Bytes: 90000},
		Received: stream.ReceiveCounters{Packets: 7000, Lost: 300, HighestSequence: 9},
	}
	v.openAudio()
	v.up(agreed("a"))
	return v
}

func TestReceiverReportEachSecondBeforeAnythingWasSent(t *testing.T) {
	v := counted(t)
	v.pass(3100 * time.Millisecond)
	all := v.reports()
	if len(all) < 3 || len(all) > 4 {
		t.Fatalf("%d reports in 3.1 s", len(all))
	}
	for _, r := range all {
		if r.SSRC != ourSSRC || r.CNAME != "archibald-guest" || r.Sender != nil || len(r.Receptions) != 0 || r.Bye {
			t.Errorf("%+v", r)
		}
	}
}

func TestSenderReportCountsFromTheStartOfTheSession(t *testing.T) {
	v := counted(t)
	v.pass(2 * time.Second)
	v.reports()
	sent := &v.core.counters.Sent
	sent.Packets, sent.Bytes, sent.LastTimestamp = 5750, 90000+750*256, 0xfffffff0
	sent.LastSendNs = v.time.ns
	v.pass(2 * time.Second)
	all := v.reports()
	last := all[len(all)-1].Sender
	if last == nil || last.Packets != 750 || last.Octets != 750*256 {
		t.Fatalf("%+v", last)
	}
}

// A receiver of ours takes both at their word, to the nanosecond.
func TestTheTwoTimesOfASenderReportAreOfOneFrame(t *testing.T) {
	for _, c := range []struct {
		period, channels int
		lateNs           int64
		last             uint32 // frames of the cycle before the last packet
	}{{64, 2, 0, 0}, {64, 2, 123456, 0}, {512, 2, 50e3, 384}, {256, 8, 0, 224}} {
		v := newVirtual(t)
		v.audio.graph.PeriodFrames = c.period
		v.openAudio()
		s := agreed("a")
		s.Agreement.Send.Channels = c.channels
		v.up(s)
		cycleNs := v.time.ns
		sent := &v.core.counters.Sent
		sent.Packets, sent.LastTimestamp = 1, 0xfffffff0+c.last
		sent.LastSendNs, sent.LastCaptureDelayNs = cycleNs+c.lateNs, c.lateNs
		v.time.ns += 777_777
		v.pass(2 * time.Second)
		all := v.reports()
		if len(all) < 2 {
			t.Fatalf("%d reports", len(all))
		}
		for i, r := range all {
			frames := r.Sender.RTPTimestamp - 0xfffffff0
			wall, _ := v.time.wall(cycleNs + int64(math.Round(float64(frames)*1e9/testRate)))
			if r.Sender.Time != proto.NTPFrom(wall) {
				t.Errorf("%+v: frame %d is at %v, not at %v", c, frames, wall, r.Sender.Time.Time())
			}
			if i < len(all)-1 {
				continue
			}
			now, _ := v.time.wall(v.core.wroteNs)
			if age := now.Sub(r.Sender.Time.Time()); age < 0 || age > time.Second/testRate {
				t.Errorf("%+v: the report is %v older than its sending", c, age)
			}
		}
	}
}

func TestReceptionReportCountsFromTheStartOfTheSession(t *testing.T) {
	v := counted(t)
	report := func() proto.Reception {
		t.Helper()
		v.core.rtcpOut = nil
		v.peerSays(proto.Report{SSRC: peerSSRC}) // it is still there
		v.pass(report.Interval)
		all := v.reports()
		if len(all) != 1 || len(all[0].Receptions) != 1 {
			t.Fatalf("%+v", all)
		}
		return all[0].Receptions[0]
	}
	got := &v.core.counters.Received
	got.Packets, got.Lost, got.HighestSequence = 7750, 550, 65537
	r := report()
	if r.SSRC != peerSSRC || r.CumulativeLost != 250 || r.HighestSequence != 65537 || r.LastSR != 0 || r.DelaySinceLastSR != 0 {
		t.Errorf("%+v", r)
	}
	if r.FractionLost != 0.25 {
		t.Errorf("fraction lost %v, want 250 of 1000", r.FractionLost)
	}
	got.Packets += 100
	if r = report(); r.FractionLost != 0 || r.CumulativeLost != 250 {
		t.Errorf("nothing was lost since: %+v", r)
	}
	got.Packets, got.Lost = got.Packets+50, got.Lost+50
	if r = report(); r.FractionLost != 0.5 || r.CumulativeLost != 300 {
		t.Errorf("half was lost since: %+v", r)
	}
	got.Packets, got.Lost = got.Packets+100, got.Lost-50 // 50 came after all
	if r = report(); r.FractionLost != 0 || r.CumulativeLost != 250 {
		t.Errorf("less was lost than it seemed: %+v", r)
	}
	v.down("a")
	v.up(agreed("b"))
	got.Packets++
	if r = report(); r.CumulativeLost != 0 || r.FractionLost != 0 {
		t.Errorf("the next session begins with %+v", r)
	}
}

func TestJitterIsReported(t *testing.T) {
	v := playing(t)
	v.reports()
	v.pass(2 * time.Second)
	before := v.reports()
	for i := range 100 {
		v.core.lateFrames = float64(i%2) * 32
		v.pass(tick)
	}
	after := v.reports()
	if j := before[len(before)-1].Receptions[0].Jitter; j != 0 {
		t.Errorf("a steady stream has a jitter of %d", j)
	}
	if j := after[len(after)-1].Receptions[0].Jitter; j < 1 || j > 32 {
		t.Errorf("jitter %d", j)
	}
}

func TestDelaySinceTheSenderReportIsExact(t *testing.T) {
	v := playing(t)
	v.peerSays(proto.Report{SSRC: peerSSRC, Sender: &proto.SenderInfo{Time: 0xe9a1b2c3_80001234}})
	arrivalNs := v.time.ns
	v.pass(time.Second)
	all := v.reports()
	r := all[len(all)-1].Receptions[0]
	want := time.Duration(v.core.wroteNs - arrivalNs)
	if off := r.DelaySinceLastSR - want; r.LastSR != 0xb2c38000 || off < -time.Second/65536 || off > time.Second/65536 {
		t.Errorf("last SR %x, delay %v, want %v", r.LastSR, r.DelaySinceLastSR, want)
	}
}

// The peer computes the round trip from both.
func TestDelaySinceTheSenderReportIsOfTheReportsOwnTime(t *testing.T) {
	const unit = time.Second / 65536
	for offNs := int64(0); offNs < int64(time.Second)/testRate; offNs += 1000 {
		v := playing(t)
		v.peerSays(proto.Report{SSRC: peerSSRC, Sender: &proto.SenderInfo{Time: 0xe9a1b2c3_80001234}})
		arrived, _ := v.time.wall(v.time.ns)
		v.core.counters.Sent.Packets++
		v.core.counters.Sent.LastSendNs = v.time.ns - offNs
		v.reports()
		v.pass(report.Interval)
		all := v.reports()
		last := all[len(all)-1]
		short := last.Sender.Time.Time().Sub(arrived) - last.Receptions[0].DelaySinceLastSR
		if short < -time.Nanosecond || short > unit {
			t.Fatalf("%d ns after a frame: the delay is %v short", offNs, short)
		}
	}
}

// Two ends on one time, with a network in between.
func TestTwoEndsMeasureTheWayBetweenThem(t *testing.T) {
	const underWay = 7 * time.Millisecond
	a, b := playing(t), playing(t, func(c *Settings) { c.Role = proto.Host })
	b.time, b.clock = a.time, a.time
	s := agreed("a")
	s.Agreement.PeerSSRC, s.Agreement.LocalSSRC = ourSSRC, peerSSRC
	b.up(s)
	a.core.rtcpOut, b.core.rtcpOut = nil, nil
	run := func(v *virtual) {
		for ; v.beat <= v.time.ns; v.beat += testPeriod * int64(time.Second) / testRate {
			v.core.flow(v.beat) // what arrives now left so long ago, and what leaves now:
			sent := &v.core.counters.Sent
			sent.Packets++
			sent.LastSendNs, sent.LastTimestamp = v.beat, uint32(flowMedia+(v.core.steps-1)*testPeriod)+336 // 7 ms later
		}
		v.tick()
	}
	carry := func(from, to *virtual) {
		for _, d := range from.core.rtcpOut {
			to.core.rtcpIn = append(to.core.rtcpIn, datagram{d.data, peerAddr, from.time.ns + int64(underWay)})
		}
		from.core.rtcpOut = nil
	}
	for range 500 {
		a.time.ns += int64(tick)
		run(a)
		run(b)
		carry(a, b)
		carry(b, a)
	}
	for name, v := range map[string]*virtual{"guest": a, "host": b} {
		v.publish()
		d := v.Status().Directions
		ns, errorNs, ok := float64(d.Receive.LatencyStagesMs.Wire)*1e6, float64(d.Receive.LatencyErrorMs)*1e6, d.Receive.LatencyBy != ""
		if off := time.Duration(ns) - underWay; !ok || off < -50*time.Microsecond || off > 50*time.Microsecond {
			t.Errorf("%s: under way for %v, want %v", name, time.Duration(ns), underWay)
		}
		if off := time.Duration(errorNs) - underWay; off < -50*time.Microsecond || off > 50*time.Microsecond {
			t.Errorf("%s: within %v, want half the round trip, %v", name, time.Duration(errorNs), underWay)
		}
		if math.Abs(float64(d.Send.LatencyMs.Bridge-d.Receive.LatencyMs.Bridge)) > 0.1 {
			t.Errorf("%s: sends at %v, receives at %v, and both ways are alike", name, d.Send.LatencyMs.Bridge, d.Receive.LatencyMs.Bridge)
		}
	}
}

func TestReportsOfOthersAreIgnored(t *testing.T) {
	stranger := proto.Report{
		SSRC: 12345, CNAME: "stranger", Sender: &proto.SenderInfo{Time: 0xe9a1b2c3_80001234},
		Receptions: []proto.Reception{{SSRC: ourSSRC, CumulativeLost: 77}}, Bye: true,
	}
	impostor := stranger
	impostor.SSRC = peerSSRC
	for name, c := range map[string]struct {
		report proto.Report
		from   string
	}{
		"another SSRC":    {stranger, "192.0.2.7:4713"},
		"another address": {impostor, "192.0.2.8:4713"},
	} {
		v := playing(t)
		before := v.streams.peer.reportNs
		data, err := c.report.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		v.core.rtcpIn = []datagram{{data, netip.MustParseAddrPort(c.from), v.time.ns}, {data[:7], peerAddr, v.time.ns}}
		v.pass(time.Second)
		v.calledPeer()
		if lost := v.Status().Directions.Send.Lost; lost != 0 || v.streams.peer.reportNs != before || len(v.core.rtcpIn) != 0 {
			t.Errorf("%s: %d lost of ours, by a report at %d", name, lost, v.streams.peer.reportNs)
		}
		for _, r := range v.reports() {
			if len(r.Receptions) > 0 && r.Receptions[0].LastSR != 0 {
				t.Errorf("%s: answered as if it were the peer's: %+v", name, r)
			}
		}
	}
}

func TestReportFromAnotherPortOfThePeerCounts(t *testing.T) {
	v := playing(t)
	v.peerSays(proto.Report{SSRC: peerSSRC, Receptions: []proto.Reception{
		{SSRC: ourSSRC, CumulativeLost: 5}, {SSRC: 4711, CumulativeLost: 1},
	}})
	v.core.rtcpIn[0].addr = netip.MustParseAddrPort("[::ffff:192.0.2.7]:999")
	v.pass(time.Second)
	if got := v.Status().Directions.Send.Lost; got != 5 {
		t.Errorf("lost %d, want what is reported of our stream", got)
	}
}

func TestByeEndsTheSessionAtOnce(t *testing.T) {
	v := playing(t)
	v.peerSays(proto.Report{SSRC: peerSSRC, Bye: true, ByeReason: "bridge stopped"})
	v.peerSays(proto.Report{SSRC: peerSSRC, Bye: true, ByeReason: "bridge stopped"})
	v.pass(time.Second)
	v.calledPeer("drop: the peer said goodbye: bridge stopped")
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("streams go on")
	}
}

func TestByeOfTheSessionBeforeDoesNotEndTheNext(t *testing.T) {
	v := playing(t)
	next := agreed("b")
	v.peer.session = &next // the end has not been told yet
	v.peerSays(proto.Report{SSRC: peerSSRC, Bye: true})
	v.pass(tick)
	v.calledPeer()
	v.down("a")
	v.up(next)
	if v.core.sender == nil {
		t.Error("not sending")
	}
}

func TestByeIsSaidOnlyInASession(t *testing.T) {
	v := playing(t)
	v.reports()
	v.sayBye("bridge stopped")
	all := v.reports()
	if len(all) != 1 || !all[0].Bye || all[0].ByeReason != "bridge stopped" || all[0].SSRC != ourSSRC {
		t.Errorf("%+v", all)
	}
	v.down("a")
	v.sayBye("bridge stopped")
	if all = v.reports(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	v.pass(5 * time.Second)
	if slices.Contains(v.core.calls[len(v.core.calls)-1:], "send RTCP") {
		t.Error("reports without a session")
	}
}

// While its sound is heard, a peer's reports come from where that does. A goodbye from
// another port is somebody else's.
func TestReportFromAnotherPortThanTheSoundIsIgnored(t *testing.T) {
	v := playing(t)
	v.core.source = netip.MustParseAddrPort("192.0.2.7:40000")
	v.pass(time.Second)
	bye := proto.Report{SSRC: peerSSRC, Bye: true, ByeReason: "forged"}
	v.peerSays(bye) // from the port agreed
	v.pass(time.Second)
	v.calledPeer()
	if got := v.streams.counters.Received.RTCPElsewhere; got != 1 {
		t.Errorf("%d reports from elsewhere", got)
	}
	v.peerSays(bye)
	v.core.rtcpIn[0].addr = v.core.source
	v.pass(time.Second)
	v.calledPeer("drop: the peer said goodbye: forged")
}

// A translator of addresses gave another port while the peer's sound is missing: its
// reports are all that says that it is there.
func TestReportFromAnotherPortCountsWhileThePeerIsSilent(t *testing.T) {
	v := playing(t)
	v.core.source = peerAddr
	v.core.packets = false
	for range 20 {
		v.peerSays(proto.Report{SSRC: peerSSRC})
		v.core.rtcpIn[0].addr = netip.MustParseAddrPort("192.0.2.7:50000")
		v.pass(time.Second)
	}
	for _, call := range v.peer.calls {
		if call != "check" {
			t.Errorf("%q", call)
		}
	}
}

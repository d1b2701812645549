package session

import (
	"math"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// way is a network and a peer on the far side of it: the truth that an end is to
// find out.
type way struct {
	wire        time.Duration // of media: the peer's cycle to the arrival line
	there, back time.Duration // of reports
	peerWallNs  int64         // the peer's wall clock minus our monotonic one
}

// began is when the flow of a playing virtual end began, and its first timestamp.
const (
	beganNs   = int64(1000e9)
	flowMedia = 1 << 20
)

// frameNs is how long a frame of the flow takes: its periods are whole nanoseconds.
const frameNs = float64(testPeriod*1_000_000_000/testRate) / testPeriod

// answer lets a second pass and then hands the core the peer's answer to the end's
// last sender report.
func (v *virtual) answer(w way) {
	v.t.Helper()
	v.core.counters.Sent.Packets += 750
	v.core.counters.Sent.LastSendNs = v.time.ns
	v.pass(time.Second)
	all := v.senderReports()
	if len(all) == 0 || all[len(all)-1].ns != v.core.wroteNs {
		v.t.Fatal("no sender report was written")
	}
	v.answerTo(all[len(all)-1], w)
}

// senderReport is when a sender report was written, by what the peer calls it.
type senderReport struct {
	middle uint32
	ns     int64
}

// senderReports are those written so far, since reports were last taken.
func (v *virtual) senderReports() (all []senderReport) {
	for _, d := range v.core.rtcpOut {
		if r, err := proto.ParseRTCP(d.data); err == nil && r.Sender != nil {
			all = append(all, senderReport{r.Sender.Time.Middle(), d.ns})
		}
	}
	return all
}

func (v *virtual) answerTo(report senderReport, w way) {
	arrivalNs := report.ns + int64(w.there+600*time.Millisecond+w.back)
	for v.time.ns < arrivalNs {
		v.pass(tick)
	}
	frames := math.Floor(float64(arrivalNs-int64(w.back)-beganNs+int64(w.wire)) / frameNs)
	leftNs := beganNs + int64(math.Round(frames*frameNs)) - int64(w.wire)
	v.peerReports(proto.SenderInfo{
		Time: proto.NTPFrom(time.Unix(0, leftNs+w.peerWallNs)), RTPTimestamp: flowMedia + uint32(frames),
	}, proto.Reception{
		SSRC: ourSSRC, LastSR: report.middle, DelaySinceLastSR: time.Duration(leftNs - report.ns - int64(w.there)),
	}, arrivalNs)
}

func (v *virtual) peerReports(s proto.SenderInfo, r proto.Reception, arrivalNs int64) {
	v.peerSays(proto.Report{SSRC: peerSSRC, Sender: &s, Receptions: []proto.Reception{r}})
	v.core.rtcpIn[len(v.core.rtcpIn)-1].ns = arrivalNs
	v.pass(tick)
	v.publish()
}

// received is the latency shown and the true one.
func (v *virtual) received(w way) (shown status.Direction, offUs float64) {
	d := v.Status().Directions.Receive
	truth := w.wire.Seconds()*1e6 + v.streams.receive.Clock().DelayFrames*frameNs/1e3
	return d, float64(d.LatencyMs.Bridge)*1e3 - truth
}

const otherWall = 1_700_000_000e9 // a wall clock that is not ours

func TestOneWayLatencyIsWithinItsBoundHoweverTheRoundTripIsShared(t *testing.T) {
	const us = time.Microsecond
	for _, w := range []way{
		{80 * us, 50 * us, 50 * us, otherWall},
		{80 * us, 10 * us, 400 * us, otherWall},
		{80 * us, 400 * us, 10 * us, otherWall},
		{3000 * us, 0, 1000 * us, otherWall},
		{0, 9 * time.Millisecond, 0, otherWall},
	} {
		v := playing(t)
		for range 5 {
			v.answer(w)
		}
		d, offUs := v.received(w)
		errorUs := float64(d.LatencyErrorMs) * 1e3
		// Half the round trip, one unit of DLSR, half a frame of the peer's time stamp.
		mostUs := float64((w.there+w.back).Microseconds())/2 + 15.3 + frameNs/2e3
		if math.Abs(offUs) > errorUs || errorUs > mostUs || d.LatencyBy != status.LatencyByRoundTrip {
			t.Errorf("%+v: off by %.1f us, said to be within %.1f us, %.1f are enough; by %q", w, offUs, errorUs, mostUs, d.LatencyBy)
		}
		if w.there == w.back && math.Abs(offUs) > 20 {
			t.Errorf("%+v: off by %.1f us although both ways are alike", w, offUs)
		}
	}
}

func TestStagesAddUpToTheLatency(t *testing.T) {
	v := playing(t)
	w := way{300 * time.Microsecond, 60 * time.Microsecond, 60 * time.Microsecond, otherWall}
	v.core.sentLateNs = 90e3
	for range 20 {
		v.answer(w)
	}
	d := v.Status().Directions.Receive
	s := d.LatencyStagesMs
	if sum := s.Capture + s.Wire + s.Wait + s.Resample + s.Playout; math.Abs(float64(sum-d.LatencyMs.Bridge)) > 1e-9 {
		t.Errorf("%+v are %v ms, the latency is %v ms", s, float64(sum), float64(d.LatencyMs.Bridge))
	}
	near := func(name string, got status.Milliseconds, wantMs, within float64) {
		if math.Abs(float64(got)-wantMs) > within {
			t.Errorf("%s %v, want %v ms", name, got, wantMs)
		}
	}
	near("capture", s.Capture, 0.09, 1e-6)
	near("wire", s.Wire, 0.3-0.09, 0.02)
	near("playout", s.Playout, testPeriod/48.0, 1e-9)
	near("resample", s.Resample, 0, 0) // the clocks are one
	near("wait", s.Wait, (v.streams.receive.Clock().DelayFrames-testPeriod)/48-0.09, 1e-6)

	free := playing(t, func(c *Settings) { c.Clock = proto.ClockFree })
	near("resample", free.Status().Directions.Receive.LatencyStagesMs.Resample, lookahead/48.0, 1e-9)
}

func TestLatencyBeforeTheWayIsMeasuredIsWithoutIt(t *testing.T) {
	v := playing(t)
	d := v.Status().Directions.Receive
	if want := status.Milliseconds(v.streams.receive.Clock().DelayFrames / 48); math.Abs(float64(d.LatencyMs.Bridge-want)) > 1e-9 ||
		d.LatencyErrorMs != 0 || d.LatencyBy != "" || d.LatencyStagesMs.Wire != 0 {
		t.Errorf("%v, want %v: %+v", d.LatencyMs.Bridge, want, d)
	}
	for _, r := range v.reports() {
		if r.Latency != nil {
			t.Errorf("%+v was told to the peer", r.Latency)
		}
	}
}

func TestStepsOfTheWallClocksDoNotMoveTheLatency(t *testing.T) {
	w := way{200 * time.Microsecond, 40 * time.Microsecond, 40 * time.Microsecond, otherWall}
	for name, step := range map[string]func(*virtual){
		"the peer's, an hour ahead": func(*virtual) { w.peerWallNs += 3600e9 },
		"the peer's, 3 ms back":     func(*virtual) { w.peerWallNs -= 3e6 },
		"ours, a minute back":       func(v *virtual) { v.time.stepNs -= 60e9 },
	} {
		v := playing(t)
		v.answer(w)
		step(v)
		for range 12 {
			v.answer(w)
			if _, offUs := v.received(w); math.Abs(offUs) > 20 {
				t.Errorf("%s: off by %.1f us", name, offUs)
			}
		}
	}
}

func TestAnswerToAnEarlierReportCountsAsWell(t *testing.T) {
	w := way{200 * time.Microsecond, 40 * time.Microsecond, 40 * time.Microsecond, otherWall}
	v := playing(t)
	v.core.counters.Sent.Packets++
	v.core.counters.Sent.LastSendNs = v.time.ns
	v.pass(time.Second)
	old := v.senderReports()[0]
	v.pass(3 * time.Second) // the peer has missed three
	v.answerTo(old, w)
	if d, offUs := v.received(w); math.Abs(offUs) > 20 || d.LatencyErrorMs == 0 {
		t.Errorf("off by %.1f us: %+v", offUs, d)
	}
}

func TestAnswersThatCannotBeAreNotMeasured(t *testing.T) {
	w := way{200 * time.Microsecond, 40 * time.Microsecond, 40 * time.Microsecond, otherWall}
	for name, spoil := range map[string]func(*proto.Reception){
		"to a report never written":    func(r *proto.Reception) { r.LastSR ^= 1 << 20 },
		"to none":                      func(r *proto.Reception) { r.LastSR = 0 },
		"held for longer than it took": func(r *proto.Reception) { r.DelaySinceLastSR += time.Millisecond },
		"on another stream":            func(r *proto.Reception) { r.SSRC++ },
	} {
		v := playing(t)
		v.answer(w)
		if !v.wayIsMeasured() {
			t.Fatal("a good one was not measured")
		}
		v = playing(t)
		v.core.counters.Sent.Packets++
		v.core.counters.Sent.LastSendNs = v.time.ns
		v.pass(time.Second)
		sent := v.senderReports()[0]
		r := proto.Reception{SSRC: ourSSRC, LastSR: sent.middle, DelaySinceLastSR: time.Duration(v.time.ns - sent.ns)}
		spoil(&r)
		v.peerReports(proto.SenderInfo{Time: 1, RTPTimestamp: flowMedia}, r, v.time.ns)
		if v.wayIsMeasured() {
			t.Errorf("an answer %s was measured", name)
		}
	}
}

func (v *virtual) wayIsMeasured() bool { return v.Status().Directions.Receive.LatencyErrorMs != 0 }

func TestAFewSlowReportsDoNotMoveTheLatency(t *testing.T) {
	quick := way{200 * time.Microsecond, 40 * time.Microsecond, 40 * time.Microsecond, otherWall}
	slow := quick
	slow.back = 30 * time.Millisecond
	v := playing(t)
	for i := range 40 {
		w := quick
		if i > 2 && i%3 == 0 {
			w = slow
		}
		v.answer(w)
		if d, offUs := v.received(w); i > 3 && (math.Abs(offUs) > 20 || float64(d.LatencyErrorMs) > 0.06) {
			t.Fatalf("after %d reports: off by %.1f us, said to be within %s", i, offUs, d.LatencyErrorMs)
		}
	}
}

// oneClock is an end that reads its host's clock, or whose peer does.
func oneClock(t *testing.T, peers bool) *virtual {
	v := newVirtual(t)
	v.onHostClock = !peers
	v.openAudio()
	s := agreed("a")
	s.Agreement.PeerOnHostClock = peers
	v.up(s)
	v.runs, v.core.packets = true, true
	v.pass(2 * time.Second)
	return v
}

func TestOneClockForBothEndsMeasuresTheWayExactly(t *testing.T) {
	const asOurs = 1_800_000_000e9 // fakeTime.wall
	w := way{70 * time.Microsecond, 900 * time.Microsecond, 20 * time.Microsecond, asOurs}
	for name, peers := range map[string]bool{"the guest": false, "the host, of a guest that has it": true} {
		v := oneClock(t, peers)
		for range 3 {
			v.answer(w)
		}
		d, offUs := v.received(w)
		if math.Abs(offUs) > 1 || d.LatencyBy != status.LatencyByHostClock || d.LatencyErrorMs != 0.012 {
			t.Errorf("%s: off by %.2f us, said to be within %s, by %q", name, offUs, d.LatencyErrorMs, d.LatencyBy)
		}
		v.logged("by round trips", 0)
	}
}

func TestClockThatIsNotTheHostsIsFoundOut(t *testing.T) {
	w := way{70 * time.Microsecond, 50 * time.Microsecond, 50 * time.Microsecond, 1_800_000_000e9 + 2e6}
	v := oneClock(t, true)
	for range 3 {
		v.answer(w)
	}
	if d, offUs := v.received(w); math.Abs(offUs) > 20 || d.LatencyBy != status.LatencyByRoundTrip {
		t.Errorf("off by %.1f us, by %q", offUs, d.LatencyBy)
	}
	v.logged("one-way latency by round trips", 1)
}

func TestNextSessionMeasuresTheWayAnew(t *testing.T) {
	v := playing(t)
	v.answer(way{80 * time.Millisecond, time.Millisecond, time.Millisecond, otherWall})
	v.down("a")
	v.up(agreed("b"))
	v.pass(time.Second)
	if v.wayIsMeasured() || v.streams.reports.PeerLatency() != nil {
		t.Errorf("%+v", v.Status().Directions)
	}
}

func TestPeerIsToldTheLatencyOfItsStream(t *testing.T) {
	v := playing(t)
	v.answer(way{250 * time.Microsecond, 30 * time.Microsecond, 30 * time.Microsecond, otherWall})
	v.reports()
	v.pass(time.Second)
	all, d := v.reports(), v.Status().Directions.Receive
	told := all[len(all)-1].Latency
	if told == nil || told.SSRC != peerSSRC {
		t.Fatalf("told %+v", told)
	}
	if off := told.OneWay.Seconds()*1e3 - float64(d.LatencyMs.Bridge); math.Abs(off) > 1e-6 {
		t.Errorf("told %v, shown %v", told.OneWay, d.LatencyMs.Bridge)
	}
	if off := told.Error.Seconds()*1e3 - float64(d.LatencyErrorMs); math.Abs(off) > 1e-6 {
		t.Errorf("told +- %v, shown %v", told.Error, d.LatencyErrorMs)
	}
}

func TestLatencyOfWhatIsSentIsThePeersWord(t *testing.T) {
	v := playing(t)
	tell := func(l *proto.Latency) status.Direction {
		v.peerSays(proto.Report{SSRC: peerSSRC, Latency: l})
		v.pass(time.Second)
		return v.Status().Directions.Send
	}
	d := tell(&proto.Latency{SSRC: ourSSRC, OneWay: 5 * time.Millisecond, Error: 125 * time.Microsecond})
	if math.Abs(float64(d.LatencyMs.Bridge)-5) > 1e-6 || math.Abs(float64(d.LatencyErrorMs)-0.125) > 1e-6 || d.LatencyBy != status.LatencyByPeer {
		t.Errorf("%+v", d)
	}
	if calls := v.latencies(); calls[len(calls)-1][:12] != "latency 240 " {
		t.Errorf("the graph was told %q", calls)
	}
	if d = tell(&proto.Latency{SSRC: 4711, OneWay: time.Second}); math.Abs(float64(d.LatencyMs.Bridge)-5) > 1e-6 {
		t.Errorf("another stream's: %+v", d)
	}
	if d = tell(nil); d.LatencyMs.Bridge != 0 || d.LatencyErrorMs != 0 || d.LatencyBy != "" {
		t.Errorf("no longer known: %+v", d)
	}
}

func TestEndThatOnlySendsTellsTheGraphThePeersWord(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	s := agreed("a")
	s.Agreement.Receive.Channels = 0
	v.up(s)
	v.pass(time.Second)
	if calls := v.latencies(); len(calls) != 0 {
		t.Errorf("before it is known: %q", calls)
	}
	v.peerSays(proto.Report{SSRC: peerSSRC, Latency: &proto.Latency{SSRC: ourSSRC, OneWay: 2 * time.Millisecond}})
	v.pass(time.Second)
	if calls := v.latencies(); len(calls) != 1 || calls[0] != "latency 96 96" {
		t.Errorf("calls %q", calls)
	}
}

func TestCorrelationOfTwoClocksTakesTheQuickestReading(t *testing.T) {
	const apart = 1_700_000_000e9
	now, reads := int64(5e9), 0
	monotonic := func() int64 { return now }
	wall := func() int64 {
		reads++
		if reads != 4 { // the thread lost its processor
			now += 2e6
			defer func() { now += 1e6 }()
		} else {
			now += 300
			defer func() { now += 100 }()
		}
		return now + apart
	}
	at, errorNs := correlate(monotonic, wall, 4e9)
	if off := at - 4e9 - apart; off < -errorNs || off > errorNs || errorNs != 200 {
		t.Errorf("off by %d ns, said to be within %d", off, errorNs)
	}
}

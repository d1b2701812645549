package session

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

func TestStatusBeforeRunIsEmpty(t *testing.T) {
	if s := newVirtual(t).Status(); !reflect.DeepEqual(s, status.Status{}) {
		t.Errorf("%+v", s)
	}
}

func TestStatusOfAnEndThatWaits(t *testing.T) {
	v := newVirtual(t, func(c *Settings) { c.Name, c.Peer = "lab", Peer{Host: "tower", Port: 4713} })
	v.peer.lastErr, v.peer.rejects = "peer tower:4713: connection refused", signaling.Rejected{Strangers: 1, Crowded: 2, Unproven: 3, Refused: 4}
	v.openAudio()
	v.pass(time.Second)
	want := status.Status{
		End: "guest", Version: status.Version, Name: "lab", UptimeSeconds: 1,
		Audio: status.Audio{Server: "JACK server lab", State: status.AudioRunning, Rate: testRate, PeriodFrames: testPeriod},
		Session: status.Session{State: status.SessionWaiting, Peer: "tower:4713", LastError: "peer tower:4713: connection refused",
			RejectedCalls: status.RejectedCalls{Strangers: 1, Crowded: 2, Unproven: 3, Refused: 4}},
		Directions: status.Directions{
			Send: status.Direction{State: status.DirectionIdle}, Receive: status.Direction{State: status.DirectionIdle},
		},
	}
	want.UptimeSeconds = v.Status().UptimeSeconds // in steps of half a second
	if got := v.Status(); !reflect.DeepEqual(got, want) || got.UptimeSeconds < 0.5 || got.UptimeSeconds > 1 {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Every user of the machine can see the status, and may call: who knows a session's id
// can end or replace it.
func TestTheStatusHasNothingToEndASessionWith(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef"
	a, b := newVirtual(t), newVirtual(t)
	for _, v := range []*virtual{a, b} {
		v.openAudio()
		v.up(agreed(id))
		v.publish()
		var text bytes.Buffer
		if err := json.NewEncoder(&text).Encode(v.Status()); err != nil || strings.Contains(text.String(), id) {
			t.Errorf("%v, %s", err, text.String())
		}
	}
	if one, other := a.Status().Session.ID, b.Status().Session.ID; one != other || one == "" {
		t.Errorf("one session is %q and %q", one, other)
	}
	before := a.Status().Session.ID
	a.up(agreed("fedcba9876543210fedcba9876543210"))
	a.publish()
	if now := a.Status().Session.ID; now == before {
		t.Error("two sessions cannot be told apart")
	}
}

func TestEveryFieldOfTheStatus(t *testing.T) {
	v := playing(t)
	v.answer(way{wire: time.Millisecond, there: 240 * time.Microsecond, back: 240 * time.Microsecond, peerWallNs: otherWall})
	v.audio.xruns, v.audio.policy = 3, "SCHED_FIFO"
	v.core.counters.Sent = stream.SendCounters{Packets: 750, Skips: 2, PeakLinear: []float64{1, 0.5, 0.25, 0}}
	v.core.counters.Received = stream.ReceiveCounters{
		Packets: 700, Lost: 1, DiscardedLate: 2, Duplicate: 3, Recovered: 6, Malformed: 10, WrongSource: 20, WrongSSRC: 30, WrongPayload: 40, Outside: 50,
		ConcealedFrames: 64, Dropouts: 4, Skips: 5, PeakLinear: []float64{0.1, 0, 1},
	}
	v.peerSays(proto.Report{SSRC: peerSSRC, Receptions: []proto.Reception{{SSRC: ourSSRC, CumulativeLost: 9}}})
	v.runs = false
	v.pass(500 * time.Millisecond)
	v.runs = true
	v.publish()

	s := v.Status()
	if want := (status.Audio{Server: "JACK server lab", State: "running", Rate: testRate, PeriodFrames: testPeriod, Xruns: 3, XrunsTotal: 3, Realtime: true}); s.Audio != want {
		t.Errorf("got  %+v\nwant %+v", s.Audio, want)
	}
	if want := (status.Session{State: "up", Peer: "192.0.2.7:4713", ID: shownID("a")}); s.Session != want {
		t.Errorf("got  %+v\nwant %+v", s.Session, want)
	}
	wantSend := status.Direction{
		State: "running", Peer: "192.0.2.7:4713", Format: "F32", Channels: 2, Rate: testRate, PacketFrames: 64,
		Counts: status.Counts{Packets: 750, Lost: 9, Xruns: 2}, Total: status.Counts{Packets: 750, Lost: 9, Xruns: 2}, PeakDBFS: []status.Decibels{0, status.DecibelsOf(0.5)},
	}
	if got := s.Directions.Send; !reflect.DeepEqual(got, wantSend) {
		t.Errorf("got  %+v\nwant %+v", got, wantSend)
	}
	c := v.streams.receive.Clock()
	rejected := status.Rejected{Malformed: 10, Source: 20, SSRC: 30, PayloadType: 40, Outside: 50}
	counts := status.Counts{
		Packets: 700, Lost: 1, Late: 2, Duplicate: 3, Recovered: 6, Rejected: 150, RejectedBy: rejected, ConcealedFrames: 64, Dropouts: 4, Xruns: 5,
	}
	wantReceive := status.Direction{
		State: "running", Peer: "192.0.2.7:4713", Format: "F32", Channels: 2, Rate: testRate, PacketFrames: 32, Counts: counts, Total: counts,
		BufferFrames: c.DelayFrames, BufferTargetFrames: 93, RatioPPM: c.RatioPPM,
		JitterUs:       status.Jitter{P50: c.PDVUs.P50, P99: c.PDVUs.P99, Max: c.PDVUs.Max},
		LatencyErrorMs: 0.25, LatencyBy: "round trip",
		PeakDBFS: []status.Decibels{status.DecibelsOf(0.1), status.Decibels(math.Inf(-1))},
	}
	got := s.Directions.Receive
	wire := got.LatencyStagesMs.Wire
	if off := float64(got.LatencyMs.Bridge-wire) - c.DelayFrames/48; math.Abs(off) > 1e-9 || math.Abs(c.DelayFrames-93) > 1 {
		t.Errorf("latency %v ms at %v frames", float64(got.LatencyMs.Bridge), c.DelayFrames)
	}
	if math.Abs(float64(wire)-1) > 0.02 || got.LatencyStagesMs.Playout == 0 || math.Abs(float64(got.LatencyErrorMs)-0.25) > 0.02 {
		t.Errorf("stages %+v, known within %v ms", got.LatencyStagesMs, float64(got.LatencyErrorMs))
	}
	got.LatencyMs, got.LatencyStagesMs, got.LatencyErrorMs = wantReceive.LatencyMs, wantReceive.LatencyStagesMs, wantReceive.LatencyErrorMs
	if !reflect.DeepEqual(got, wantReceive) {
		t.Errorf("got  %+v\nwant %+v", got, wantReceive)
	}
}

func TestPacketSizeIsWhatThePeerSaidUntilOneCame(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	v.up(agreed("a"))
	v.pass(600 * time.Millisecond)
	if d := v.Status().Directions.Receive; d.PacketFrames != 48 || d.State != status.DirectionSilent {
		t.Errorf("%+v", d)
	}
}

func TestSchedulingThatIsNotRealTimeIsSeen(t *testing.T) {
	for policy, want := range map[string]bool{"SCHED_FIFO": true, "SCHED_RR": true, "SCHED_OTHER": false, "": false} {
		v := newVirtual(t)
		v.audio.policy = policy
		v.openAudio()
		v.publish()
		if got := v.Status().Audio.Realtime; got != want {
			t.Errorf("%q: %v", policy, got)
		}
	}
}

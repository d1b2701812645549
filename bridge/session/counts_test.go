package session

import (
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// count sets every counter of both directions to a multiple of itself.
func (v *virtual) count(times uint64) {
	c := &v.core.counters
	c.Sent.Packets, c.Sent.SendErrors, c.Sent.Skips = 1000*times, 10*times, 2*times
	r := &c.Received
	r.Packets, r.Lost, r.DiscardedLate, r.Duplicate, r.Recovered = 900*times, 11*times, 12*times, 13*times, 14*times
	r.ConcealedFrames, r.Dropouts, r.Skips = 640*times, 15*times, 16*times
	r.WrongSource, r.WrongSSRC, r.WrongPayload, r.Malformed, r.Outside = times, 2*times, 3*times, 4*times, 5*times
	v.audio.xruns = 7 * times
}

func countsOf(d status.Direction) [9]uint64 {
	return [9]uint64{d.Packets, d.Lost, d.Late, d.Duplicate, d.Recovered, d.Rejected, d.ConcealedFrames, d.Dropouts, d.Xruns}
}

func totalCounts(t status.Counts) [9]uint64 {
	return [9]uint64{t.Packets, t.Lost, t.Late, t.Duplicate, t.Recovered, t.Rejected, t.ConcealedFrames, t.Dropouts, t.Xruns}
}

// multiple is what count makes of the receiving direction.
func multiple(times uint64) [9]uint64 {
	m := [9]uint64{900, 11, 12, 13, 14, 15, 640, 15, 16}
	for i := range m {
		m[i] *= times
	}
	return m
}

func TestAllCountsAreOfTheSessionAndTotalsOfTheProgram(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	v.count(3) // before the first session
	v.up(agreed("a"))
	judge := func(what string, session, total uint64) {
		t.Helper()
		v.pass(time.Second)
		s := v.Status()
		if got := countsOf(s.Directions.Receive); got != multiple(session) {
			t.Errorf("%s: of the session %v, want %v", what, got, multiple(session))
		}
		if got := totalCounts(s.Directions.Receive.Total); got != multiple(total) {
			t.Errorf("%s: totals %v, want %v", what, got, multiple(total))
		}
		if by := s.Directions.Receive.RejectedBy; by != (status.Rejected{Source: session, SSRC: 2 * session, PayloadType: 3 * session, Malformed: 4 * session, Outside: 5 * session}) {
			t.Errorf("%s: rejected %+v", what, by)
		}
		send := s.Directions.Send
		if send.Packets != 1000*session || send.SendErrors != 10*session || send.Xruns != 2*session ||
			send.Total.Packets != 1000*total || send.Total.SendErrors != 10*total || send.Total.Xruns != 2*total {
			t.Errorf("%s: sent %+v", what, send)
		}
		if s.Audio.Xruns != 7*session || s.Audio.XrunsTotal != 7*total {
			t.Errorf("%s: the audio server's xruns %d, %d", what, s.Audio.Xruns, s.Audio.XrunsTotal)
		}
	}
	judge("at the start", 0, 3)
	v.count(5)
	judge("in the session", 2, 5)
	v.audioEvent(audio.Lost)
	v.pass(time.Second)
	v.count(6)
	judge("after the audio server was away", 3, 6)
	v.audio.graph.PeriodFrames = 128
	v.audioEvent(audio.Changed)
	judge("at another period", 3, 6)
	v.down("a")
	judge("while there is no session", 3, 6)
	v.count(8)
	judge("and counts go on", 5, 8)
	v.up(agreed("b"))
	judge("the next session", 0, 8)
	v.count(9)
	judge("in it", 1, 9)
	v.up(agreed("c")) // in its place
	judge("a session in its place", 0, 9)
}

func TestAPlainStreamCountsFromItsStart(t *testing.T) {
	v := newVirtual(t, static)
	v.count(2)
	v.openAudio()
	v.count(3)
	v.audioEvent(audio.Lost)
	v.pass(time.Second)
	if got := v.Status().Directions.Receive; countsOf(got) != multiple(1) || totalCounts(got.Total) != multiple(3) {
		t.Errorf("%+v", got)
	}
}

// The peer of each session counts from 0.
func TestWhatPeersLostOfOursIsAddedUpOverSessions(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	lost := func(session, total uint64) {
		t.Helper()
		v.pass(time.Second)
		if d := v.Status().Directions.Send; d.Lost != session || d.Total.Lost != total {
			t.Errorf("lost %d, in all %d, want %d, %d", d.Lost, d.Total.Lost, session, total)
		}
	}
	says := func(lost int) {
		v.peerSays(proto.Report{SSRC: peerSSRC, Receptions: []proto.Reception{{SSRC: ourSSRC, CumulativeLost: lost}}})
	}
	v.up(agreed("a"))
	says(5)
	lost(5, 5)
	says(9)
	lost(9, 9)
	v.down("a")
	lost(9, 9)
	v.up(agreed("b"))
	lost(0, 9)
	says(-3) // duplicates
	lost(0, 9)
	says(2)
	lost(2, 11)
}

// What was counted as lost can still come.
func TestLossThatIsTakenBackMakesNoCountHugeAndNoTotalShrink(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	v.core.counters.Received.Lost = 10
	v.up(agreed("a"))
	for _, c := range []struct{ counted, session, total uint64 }{{8, 0, 8}, {12, 2, 12}, {11, 1, 12}, {12, 2, 12}, {13, 3, 13}} {
		v.core.counters.Received.Lost = c.counted
		v.pass(time.Second)
		if d := v.Status().Directions.Receive; d.Lost != c.session || d.Total.Lost != c.total {
			t.Errorf("%d counted: lost %d, in all %d", c.counted, d.Lost, d.Total.Lost)
		}
	}
}

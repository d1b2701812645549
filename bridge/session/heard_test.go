package session

import (
	"testing"
	"time"

	"archibald-bridge/bridge/report"
	"archibald-bridge/proto"
)

// Whether another call may replace a session depends on whether its peer is heard.
func TestASessionIsLiveFromItsBeginningUntilItsPeerIsSilent(t *testing.T) {
	v := playing(t)
	v.pass(5 * time.Second)
	if !v.live("a") || !v.Heard() {
		t.Error("it plays, and is not live")
	}
	v.core.packets = false
	v.pass(checkAfter - tick)
	if !v.live("a") {
		t.Error("a short gap ended it")
	}
	v.pass(2 * tick)
	if v.live("a") {
		t.Errorf("silent for %s, and live", checkAfter)
	}
	v.core.packets = true
	v.pass(2 * tick)
	if !v.live("a") {
		t.Error("it plays again, and is not live")
	}
}

func TestASessionThatTheEndHasNotBegunCountsAsLive(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	if !v.live("a") {
		t.Error("before the first session")
	}
	v.core.packets = false
	v.up(agreed("a"))
	if !v.live("a") || v.Heard() {
		t.Errorf("just up: live %v, heard %v", v.live("a"), v.Heard())
	}
	v.pass(time.Second)
	if v.live("a") || v.Heard() || !v.live("b") {
		t.Errorf("a second later: live %v, heard %v; the next one: live %v", v.live("a"), v.Heard(), v.live("b"))
	}
}

// Where no sound comes, reports do, one a second.
func TestASessionThatOnlySendsIsLiveByThePeersReports(t *testing.T) {
	v := newVirtual(t)
	v.openAudio()
	s := agreed("a")
	s.Agreement.Receive.Channels = 0
	v.up(s)
	for range 5 {
		v.peerSays(proto.Report{SSRC: peerSSRC})
		v.pass(report.Interval)
		if !v.live("a") {
			t.Fatal("its reports come, and it is not live")
		}
	}
	if !v.Heard() {
		t.Error("its reports were not heard")
	}
	v.pass(checkAfter + tick)
	if v.live("a") {
		t.Error("its reports are missing, and it is live")
	}
}

// The end's goroutine can stand still, in a call of an audio server or without a processor.
func TestASessionIsNotGivenAwayWhileItsEndHasNoTime(t *testing.T) {
	v := playing(t)
	v.pass(time.Second)
	v.time.ns += int64(2 * time.Second) // in which nobody looks
	if !v.live("a") {
		t.Error("nobody looked whether the peer is there, and it counts as gone")
	}
	v.core.packets = false
	v.pass(checkAfter + 2*tick)
	if v.live("a") {
		t.Error("looked at again, it is silent, and counts as there")
	}
}

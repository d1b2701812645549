package session

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/status"
)

// Its reports say that it is there.
func TestAPeerThatCannotBeReceivedIsNotCalledSilentNorGivenUpForAnother(t *testing.T) {
	v := newVirtual(t)
	v.core.receiveErr = errors.New("no memory")
	v.runs = true
	v.openAudio()
	v.up(agreed("a"))
	v.hearing(10 * time.Second)
	if !v.live("a") {
		t.Error("another may take the session over")
	}
	v.core.receiveErr, v.core.packets = nil, true
	v.hearing(20 * time.Second)
	v.logged("no sound from the peer", 0)
	v.logged("sound from the peer again", 0)
	v.calledPeer()
	if s := v.Status(); s.Directions.Receive.State != status.DirectionRunning || !v.streams.receive.Clock().Playing {
		t.Errorf("%+v", s.Directions.Receive)
	}
}

// A refusal may end by other means than another attempt at it.
func TestASessionIsUpHoweverItsRefusalEnds(t *testing.T) {
	for name, mend := range map[string]func(*virtual){
		"the peer is heard from another port": func(v *virtual) { v.core.source = netip.MustParseAddrPort("192.0.2.7:40000") },
		"the period is another one": func(v *virtual) {
			v.audio.graph.PeriodFrames = 2 * testPeriod
			v.audioEvent(audio.Changed)
		},
	} {
		v := newVirtual(t)
		v.core.sendErr = errors.New("not reachable")
		v.openAudio()
		v.up(agreed("a"))
		v.core.sendErr = nil
		mend(v)
		v.pass(2 * tick)
		if !v.refused().none() || !v.everPeer {
			t.Errorf("%s: refused %v, ever %v", name, v.refused(), v.everPeer)
		}
		v.logged("session up", 1)
	}
}

package rt

import (
	"encoding/binary"
	"strings"
	"testing"

	"archibald-bridge/bridge/stream"
)

// What the callback of a server that hangs may still hold is left alone, and all that
// belongs to it.
func TestAReceiverThatCouldNotBeStartedChangesNoLookahead(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	p.run(20, p.regular)
	before := p.v.LookaheadFrames()
	p.v.c.in_playout = 1
	other := stream.ReceivePlan{Format: stream.Format{Encoding: stream.F32, RateHz: 192000, Channels: 1}, GraphRateHz: playerRate, PayloadType: 98}
	if err := p.v.StartReceiver(other); err == nil || !strings.Contains(err.Error(), "has not ended") {
		t.Errorf("%v", err)
	}
	if now := p.v.LookaheadFrames(); now != before {
		t.Errorf("a look-ahead of %d frames, %d before", now, before)
	}
	p.v.c.in_playout = 0
	check(t, p.v.StartReceiver(other))
	if now := p.v.LookaheadFrames(); now == before {
		t.Errorf("a look-ahead of %d frames still", now)
	}
}

func TestControlDoesNotWaitForeverForACallback(t *testing.T) {
	v, err := NewVirtual(playerRate)
	check(t, err)
	defer v.Close()
	send := stream.SendPlan{Format: formatF32(2), PayloadType: 98, PacketFrames: 64, SSRC: playerSSRC}
	check(t, v.StartSender(send))
	check(t, v.StartReceiver(planF32(2)))
	cycle, silence := uint64(0), [][]float32{make([]float32, 64), make([]float32, 64)}
	sequence := func() uint16 {
		cycle++
		v.Play(2, 64, cycle*64, benchNs(int(cycle)))
		return binary.BigEndian.Uint16(v.Capture(silence, cycle*64, benchNs(int(cycle)))[0][2:])
	}
	last := sequence()
	sender, receiver := v.c.sender, v.c.receiver
	v.c.in_capture, v.c.in_playout = 1, 1 // as a thread leaves it that died in a callback
	for what, err := range map[string]error{"sender": v.StartSender(send), "receiver": v.StartReceiver(planF32(2))} {
		if err == nil || !strings.Contains(err.Error(), "has not ended") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if v.c.receiver != receiver {
		t.Error("the receiver was replaced, and nobody can free either")
	}
	v.c.in_capture, v.c.in_playout = 0, 0
	check(t, v.StartSender(send))
	check(t, v.StartReceiver(planF32(2)))
	if next := sequence(); next != last+1 {
		t.Errorf("sequence number %d after %d: the peer takes it for a copy", next, last)
	}
	if v.c.sender == sender || v.c.receiver == receiver {
		t.Error("the plans from before are still in use")
	}
}

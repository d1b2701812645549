package codec

import (
	"testing"

	"archibald-bridge/bridge/stream"
)

func TestPacketsInOrderAreDecodedAtOnce(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.comes(1, 2)
	n.wants("decoded on time 0", "decoded on time 1", "decoded on time 2")
}

func TestAReorderedPacketIsWaitedFor(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.comes(2)
	n.passes(3e6)
	n.comes(1)
	// How long packet 2 waited says nothing of its way.
	n.wants("decoded on time 0", "decoded on time 1", "decoded 2")
}

func TestAMissingPacketIsMadeUpWhenPlayoutNeedsIt(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.dueIn(1, 10e6)
	n.comes(2, 3)
	n.passes(10e6 - marginNs - 1e6)
	n.wants("decoded on time 0")
	n.passes(1e6)
	n.wants("made up 1", "decoded 2", "decoded 3")
	n.comes(4)
	n.wants("decoded on time 4")
}

func TestWithoutALaterPacketItIsMadeUpTooButNotForEver(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.dueIn(1, 3e6)
	n.passes(1e9)
	if got := len(n.told) - 1; got != mostConcealed/fakeFrames {
		t.Errorf("%d packets were made up, want %d", got, mostConcealed/fakeFrames)
	}
	n.told = nil
	n.comes(200) // 1 s later, and long past
	n.dueIn(201, 20e6)
	n.comes(201)
	n.wants("decoded on time 200", "decoded on time 201")
}

func TestAPacketThatComesAfterItWasMadeUpIsTold(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.dueIn(1, 3e6)
	n.passes(2e6)
	n.comes(1)
	n.comes(2)
	n.wants("decoded on time 0", "made up 1", "late on time 1", "decoded on time 2")
	if b := n.blocks[2]; b.ReadyNs != n.nowNs || b.ArrivalNs != n.nowNs || b.Frames != fakeFrames || len(b.Samples) != 0 {
		t.Errorf("told of %+v", b)
	}
}

func TestTheSameTwiceIsDecodedOnce(t *testing.T) {
	n := newNetwork(t)
	n.comes(0, 0)
	n.comes(2, 2, 1)
	n.wants("decoded on time 0", "decoded on time 1", "decoded on time 2")
}

// What it waits for in the socket and here is not how the sender's clock runs.
func TestABlockSaysWhenItsPacketCame(t *testing.T) {
	n := newNetwork(t)
	n.waiting = []stream.ArrivedPacket{{Media: 0, Sequence: 1000, ArrivalNs: n.nowNs - 4e6, SendDelayNs: 3e5, Payload: []byte{0}}}
	n.receiver.Work()
	if b := n.blocks[0]; b.ReadyNs-b.ArrivalNs != 4e6 || b.SendDelayNs != 3e5 || !b.Observed {
		t.Errorf("%+v", b)
	}
}

func TestALaterRepeatSaysNothingOfTheClock(t *testing.T) {
	n := newNetwork(t)
	n.comes(0, 2)
	n.waiting = []stream.ArrivedPacket{{Media: fakeFrames, Sequence: 1001, Again: true, Payload: []byte{1}}}
	n.receiver.Work()
	n.wants("decoded on time 0", "decoded 1", "decoded 2")
}

func TestWhatTheSendersGraphLostIsNotWaitedFor(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.waiting = []stream.ArrivedPacket{{Media: 3 * fakeFrames, Sequence: 1001, Payload: []byte{3}}}
	n.receiver.Work()
	n.wants("decoded on time 0", "decoded on time 3")
	if d := n.receiver.decoder.(*fakeDecoder); d.conceals != 0 {
		t.Errorf("%d times made up", d.conceals)
	}
}

func TestBeforePlayoutBeginsNothingIsWaitedForOrMadeUp(t *testing.T) {
	n := newNetwork(t)
	n.playing = false
	n.comes(0)
	n.comes(2)
	n.comes(1)
	n.passes(50e6)
	n.wants("decoded on time 0", "decoded on time 2")
}

func TestASenderThatBeginsAnewHasANewDecoder(t *testing.T) {
	for name, jump := range map[string]int{"forwards": 1 << 20, "backwards": -(1 << 20)} {
		n := newNetwork(t)
		n.comes(0, 1, 3)
		n.codec.made = 0
		first := 4 + jump
		n.dueIn(first, 20e6)
		n.comes(first, first+1)
		n.told = n.told[2:]
		if n.codec.made != 1 || len(n.told) != 2 {
			t.Errorf("%s: %d decoders, %q", name, n.codec.made, n.told)
		}
	}
}

func TestAMalformedPacketIsCountedAndMadeUp(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.waiting = []stream.ArrivedPacket{{Media: fakeFrames, Sequence: 1001, Payload: []byte{0xff}}}
	n.receiver.Work()
	n.dueIn(1, 5e6)
	n.comes(2)
	n.passes(5e6)
	n.wants("decoded on time 0", "malformed 1", "made up 1", "decoded 2")
}

func TestGoThatStoodStillDecodesWhatCameFirst(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.dueIn(1, 1e6)
	n.nowNs += 30e6 // nobody worked
	n.comes(1, 2, 3)
	n.wants("decoded on time 0", "decoded on time 1", "decoded on time 2", "decoded on time 3")
}

func TestNoMoreThanSoManyPacketsWait(t *testing.T) {
	n := newNetwork(t)
	n.comes(0)
	n.dueIn(1, 1e9)
	for p := range mostPending {
		n.comes(2 + p)
	}
	n.wants("decoded on time 0")
	n.comes(2 + mostPending)
	if len(n.told) != mostPending+1 || len(n.receiver.pending) != 0 {
		t.Errorf("%d blocks, %d packets wait", len(n.told), len(n.receiver.pending))
	}
}

func TestBlocksWithoutRoomAreLost(t *testing.T) {
	n := newNetwork(t)
	n.full = true
	n.comes(0, 1)
	n.full = false
	n.comes(2)
	n.wants("decoded on time 2")
}

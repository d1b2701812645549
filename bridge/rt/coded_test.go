package rt

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/stream"
)

func formatOpus(channels int) stream.Format {
	return stream.Format{Encoding: stream.Coded, RateHz: playerRate, Channels: channels}
}

// captures makes a sender of Opus whose graph has run.
func captures(t *testing.T, channels int, repeats stream.Repeats) *Virtual {
	t.Helper()
	v, err := NewVirtual(playerRate)
	check(t, err)
	t.Cleanup(v.Close)
	check(t, v.StartSender(stream.SendPlan{Format: formatOpus(channels), PayloadType: payloadType(formatOpus(channels).Encoding), PacketFrames: 240, SSRC: playerSSRC, Repeats: repeats}))
	return v
}

// captureCycle captures one whose samples are their frame numbers, the second channel's below 0.
func captureCycle(t *testing.T, v *Virtual, first uint64, frames int) {
	t.Helper()
	in := [][]float32{make([]float32, frames), make([]float32, frames)}
	for i := range frames {
		in[0][i], in[1][i] = float32(first)+float32(i), -float32(first)-float32(i)
	}
	v.Advance(frames, first, int64(first)*1e9/playerRate)
	if sent := v.Capture(in, first, int64(first)*1e9/playerRate); len(sent) != 0 {
		t.Fatalf("the capture callback sent %d datagrams", len(sent))
	}
}

// wantCycle takes a cycle and holds it to what was captured.
func wantCycle(t *testing.T, v *Virtual, first uint64, frames int) stream.Cycle {
	t.Helper()
	var c stream.Cycle
	if !v.TakeCycle(&c) {
		t.Fatalf("no cycle, want that of frame %d", first)
	}
	if c.Frames != frames || len(c.Samples) != 2*frames || c.Timestamp-uint32(c.Media) != v.firstTimestamp {
		t.Fatalf("cycle %d: %d frames, %d samples, timestamp %d of media %d", first, c.Frames, len(c.Samples), c.Timestamp, c.Media)
	}
	for i := range frames {
		if want := float32(first) + float32(i); c.Samples[2*i] != want || c.Samples[2*i+1] != -want {
			t.Fatalf("cycle %d, frame %d: %v and %v", first, i, c.Samples[2*i], c.Samples[2*i+1])
		}
	}
	return c
}

func TestCapturedCyclesComeToControlWhole(t *testing.T) {
	v, r := captures(t, 2, stream.Repeats{}), rand.New(rand.NewPCG(1, 2))
	type taken struct {
		first  uint64
		frames int
	}
	var waiting []taken
	frame, held := uint64(0), 0
	for range 3000 {
		frames := 1 + r.IntN(MaxPeriodFrames)
		if held+frames < 2*MaxPeriodFrames {
			captureCycle(t, v, frame, frames)
			waiting, frame, held = append(waiting, taken{frame, frames}), (frame+uint64(frames))%(1<<23), held+frames
		}
		for len(waiting) > r.IntN(6) {
			wantCycle(t, v, waiting[0].first, waiting[0].frames)
			held -= waiting[0].frames
			waiting = waiting[1:]
		}
	}
	if e := v.Counters().Sent.SendErrors; e != 0 {
		t.Errorf("%d cycles had no room", e)
	}
}

func TestWhatControlDoesNotTakeInTimeIsAGap(t *testing.T) {
	v := captures(t, 2, stream.Repeats{})
	const period, cycles = 64, 700 // 0.93 s; the ring holds 0.68
	for i := range cycles {
		captureCycle(t, v, uint64(i*period), period)
	}
	lost := int(v.Counters().Sent.SendErrors)
	if lost == 0 || lost > cycles/2 {
		t.Fatalf("%d of %d cycles had no room", lost, cycles)
	}
	var last stream.Cycle
	for i := range cycles - lost {
		last = wantCycle(t, v, uint64(i*period), period)
	}
	captureCycle(t, v, cycles*period, period)
	if c := wantCycle(t, v, cycles*period, period); c.Media-last.Media != int64((lost+1)*period) {
		t.Errorf("the media clock passed over %d frames, %d were lost", c.Media-last.Media-period, lost*period)
	}
}

func TestCapturedSoundThatIsNotFiniteIsSilence(t *testing.T) {
	v := captures(t, 1, stream.Repeats{})
	v.Advance(3, 0, 0)
	v.Capture([][]float32{{float32(math.NaN()), float32(math.Inf(1)), 0.5}}, 0, 0)
	var c stream.Cycle
	if !v.TakeCycle(&c) || c.Samples[0] != 0 || c.Samples[1] != 0 || c.Samples[2] != 0.5 || v.Counters().Sent.NonFinite != 2 {
		t.Errorf("%+v, %d counted", c, v.Counters().Sent.NonFinite)
	}
}

func TestEncodedPacketsAreRepeatedWholePacketsLater(t *testing.T) {
	v := captures(t, 1, stream.Repeats{Copies: 1, DistanceFrames: 2 * 240})
	sender := codec.NewSender(v, counting{}, 1, 240, func() int64 { return 0 })
	first := v.c.sender.sequence
	var sent, want []uint16
	for cycle := range 60 { // a packet is done after 4, 4, 4, 3 of them
		captureCycle(t, v, uint64(cycle*64), 64)
		sender.Work()
		for _, d := range v.TakeSent() {
			sent = append(sent, (uint16(d[2])<<8|uint16(d[3]))-uint16(first))
		}
	}
	for n := range uint16(16) {
		if want = append(want, n); n >= 2 {
			want = append(want, n-2)
		}
	}
	if !slices.Equal(sent, want) {
		t.Errorf("packets went out as %v, want %v", sent, want)
	}
}

// counting is an encoder of one byte.
type counting struct{}

func (counting) Encode(_ []float32, packet []byte) (int, error) { return copy(packet, "x"), nil }

// opusPlayer is a player whose packets are of Opus.
func opusPlayer(t *testing.T, repeats stream.Repeats) *player {
	p := newPlayer(t, 1, 64)
	check(t, p.v.StartReceiver(stream.ReceivePlan{Format: formatOpus(1), PayloadType: payloadType(formatOpus(1).Encoding), SSRC: playerSSRC, Repeats: repeats}))
	return p
}

func (p *player) opusPacket(n int, payload ...byte) []byte {
	return append(rtpHeader(111, p.firstSequence+uint16(n), p.base+uint32(n*240), playerSSRC), payload...)
}

func TestPacketsOfOpusComeToControlOnce(t *testing.T) {
	p := opusPlayer(t, stream.Repeats{Copies: 1, DistanceFrames: 480})
	p.play(p.opusPacket(0, 7), p.opusPacket(0, 7), p.opusPacket(2, 9, 9), p.opusPacket(1, 8), p.opusPacket(3))
	for _, want := range []struct {
		n     int
		again bool
		bytes string
	}{{0, false, "\x07"}, {2, false, "\x09\x09"}, {1, true, "\x08"}} {
		var got stream.ArrivedPacket
		if !p.v.TakePacket(&got) || got.Media != int64(p.base)+int64(want.n*240) || got.Sequence != p.firstSequence+uint16(want.n) || got.Again != want.again || string(got.Payload) != want.bytes {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if p.v.TakePacket(new(stream.ArrivedPacket)) {
		t.Error("a packet more")
	}
	c := p.v.Counters().Received
	if c.Packets != 3 || c.Bytes != 4 || c.Malformed != 1 || c.Reordered != 1 || c.Lost != 0 || c.Duplicate != 0 {
		t.Errorf("%+v", c)
	}
}

func TestAPacketOfOpusThatNoEthernetFrameHoldsIsMalformed(t *testing.T) {
	p := opusPlayer(t, stream.Repeats{})
	p.play(p.opusPacket(0, make([]byte, 1501)...), p.opusPacket(1, make([]byte, 1500)...))
	var got stream.ArrivedPacket
	if !p.v.TakePacket(&got) || len(got.Payload) != 1500 || p.v.TakePacket(&got) {
		t.Errorf("%d bytes came first", len(got.Payload))
	}
	if c := p.v.Counters().Received; c.Malformed != 1 || c.Packets != 1 {
		t.Errorf("%+v", c)
	}
}

func TestPacketsThatControlDoesNotTakeAreLate(t *testing.T) {
	p := opusPlayer(t, stream.Repeats{})
	for n := range 200 {
		p.play(p.opusPacket(n, 1))
	}
	taken := 0
	for p.v.TakePacket(new(stream.ArrivedPacket)) {
		taken++
	}
	if late := p.v.Counters().Received.DiscardedLate; taken != 128 || late != 72 {
		t.Errorf("%d packets taken, %d late", taken, late)
	}
}

func TestDecodedBlocksPlayBitForBit(t *testing.T) {
	p := opusPlayer(t, stream.Repeats{})
	p.play()
	p.delayTo(500)
	p.play()
	for n := range 100 {
		block := stream.Block{Media: int64(p.base) + int64(n*240), Frames: 240, ReadyNs: p.nowNs(), ArrivalNs: p.nowNs(), SendDelayNs: -1, Observed: true}
		for i := range 240 {
			block.Samples = append(block.Samples, p.sample(int64(n*240+i), 0))
		}
		if !p.v.GiveBlock(block) {
			t.Fatal("no room")
		}
		for int(p.frame) < (n+1)*240 {
			p.play()
		}
	}
	p.wantStream(700, 23000, 500)
	if c := p.v.Counters().Received; c.DiscardedLate != 0 || c.ConcealedFrames != 0 {
		t.Errorf("%+v", c)
	}
}

func TestBlocksSayWhatBecameOfTheirPackets(t *testing.T) {
	p := opusPlayer(t, stream.Repeats{})
	p.play()
	p.delayTo(2000)
	p.play()
	media := int64(p.base)
	for _, b := range []stream.Block{
		{Media: media, Frames: 120, Samples: make([]float32, 120), Kind: stream.BlockConcealed},
		{Media: media + 120, Frames: 120, Samples: make([]float32, 120), Kind: stream.BlockConcealed},
		{Media: media + 240, Frames: 240, Samples: make([]float32, 240), Observed: true},
		{Media: media + 480, Frames: 120, Samples: make([]float32, 120), Kind: stream.BlockConcealed},
		{Media: media, Frames: 240, Kind: stream.BlockLate, Observed: true},
		{Media: media + 600, Kind: stream.BlockMalformed},
		{Media: media + 600, Frames: 2, Samples: []float32{float32(math.NaN()), 1}},
	} {
		p.v.GiveBlock(b)
	}
	p.play()
	if c := p.v.Counters().Received; c.ConcealedFrames != 360 || c.Dropouts != 2 || c.DiscardedLate != 1 || c.Malformed != 1 || c.NonFinite != 1 {
		t.Errorf("%+v", c)
	}
}

func TestAnObservedBlockSaysWhenItsPacketCameAndHowLongItWaited(t *testing.T) {
	p := opusPlayer(t, stream.Repeats{})
	p.play()
	came := p.nowNs()
	p.v.GiveBlock(stream.Block{
		Media: int64(p.base), Frames: 240, Samples: make([]float32, 240), ArrivalNs: came, ReadyNs: came + 4e6, SendDelayNs: 7e5, Observed: true,
	})
	p.play()
	seen := make([]stream.Observation, 64)
	for _, o := range seen[:p.v.Observe(seen)] {
		if o.Kind == stream.KindPacket {
			if o.TimeNs != came || o.WaitNs != 4e6 || o.SendDelayNs != 7e5 || o.Media != int64(p.base) || o.Frames != 240 {
				t.Errorf("%+v, came at %d", o, came)
			}
			return
		}
	}
	t.Error("no packet was observed")
}

func TestWhenPlayoutNeedsAFrameIsKnown(t *testing.T) {
	p := opusPlayer(t, stream.Repeats{})
	p.play()
	if _, playing := p.v.DueNs(0); playing {
		t.Error("it plays before it was told where")
	}
	p.delayTo(1000)
	p.play()
	at := p.nowNs() // of the next cycle, which begins with this frame
	next := int64(p.base) + int64(p.frame) - 1000
	due, playing := p.v.DueNs(next + int64(LookaheadFrames) + 1 + 480)
	if want := at - 64*int64(1e9)/playerRate + 10e6; !playing || math.Abs(float64(due-want)) > 1e3 {
		t.Errorf("due at %d, %v: want %d", due, playing, want)
	}
}

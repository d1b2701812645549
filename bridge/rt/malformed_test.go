package rt

import (
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
)

// disturbed plays a tone at a ratio while foreign datagrams come in between.
func disturbed(t *testing.T, foreign func(p *player, n int) []byte) *player {
	t.Helper()
	p := newPlayer(t, 2, 64)
	p.delayTo(128)
	p.v.SetRatio(1.0001)
	p.run(200, func(n int) [][]byte {
		packets := p.regular(n)
		if foreign != nil && n >= 20 && n < 120 {
			packets = append(packets, foreign(p, n), foreign(p, n))
			if n%2 == 0 {
				slices.Reverse(packets)
			}
		}
		return packets
	})
	return p
}

func TestForeignDatagramsMoveTheirCounterAndNothingElse(t *testing.T) {
	valid := func(p *player, n int) []byte { // the next packet, before its time: worst if taken
		return p.packet(n + 1)
	}
	change := func(edit func(b []byte) []byte) func(p *player, n int) []byte {
		return func(p *player, n int) []byte { return edit(valid(p, n)) }
	}
	set := func(at int, value byte) func(p *player, n int) []byte {
		return change(func(b []byte) []byte { b[at] = value; return b })
	}
	malformed := func(r *stream.ReceiveCounters) *uint64 { return &r.Malformed }
	wrongSSRC := func(r *stream.ReceiveCounters) *uint64 { return &r.WrongSSRC }
	wrongPayload := func(r *stream.ReceiveCounters) *uint64 { return &r.WrongPayload }

	quiet := disturbed(t, nil)
	without := quiet.received() // once: reading the peaks clears them
	for name, test := range map[string]struct {
		foreign func(p *player, n int) []byte
		counter func(*stream.ReceiveCounters) *uint64
	}{
		"one byte":                   {change(func(b []byte) []byte { return b[:1] }), malformed},
		"truncated header":           {change(func(b []byte) []byte { return b[:11] }), malformed},
		"header only":                {change(func(b []byte) []byte { return b[:12] }), malformed},
		"truncated in a sample":      {change(func(b []byte) []byte { return b[:len(b)-1] }), malformed},
		"truncated in a frame":       {change(func(b []byte) []byte { return b[:len(b)-4] }), malformed},
		"a byte too many":            {change(func(b []byte) []byte { return append(b, 0) }), malformed},
		"version 0":                  {set(0, 0x00), malformed},
		"version 1":                  {set(0, 0x40), malformed},
		"version 3":                  {set(0, 0xc0), malformed},
		"CSRC beyond the end":        {change(func(b []byte) []byte { b[0] |= 15; return b[:40] }), malformed},
		"extension beyond the end":   {change(func(b []byte) []byte { b[0] |= 0x10; b[14], b[15] = 0xff, 0xff; return b }), malformed},
		"extension without a length": {change(func(b []byte) []byte { b[0] |= 0x10; return b[:14] }), malformed},
		"padding of nothing":         {change(func(b []byte) []byte { b[0] |= 0x20; b[len(b)-1] = 0; return b }), malformed},
		"padding beyond the packet":  {change(func(b []byte) []byte { b[0] |= 0x20; b[len(b)-1] = 255; return b[:100] }), malformed},
		"padding to no whole frame":  {change(func(b []byte) []byte { b[0] |= 0x20; b[len(b)-1] = 3; return b }), malformed},
		"padding of everything": {change(func(b []byte) []byte {
			b = b[:52]
			b[0] |= 0x20
			b[51] = 40
			return b
		}), malformed},
		"wrong SSRC":         {set(8, 0xaa), wrongSSRC},
		"wrong payload type": {set(1, 96), wrongPayload},
		"wrong with marker":  {set(1, 0x80|97), wrongPayload},
		"a STUN binding request": {func(*player, int) []byte {
			return append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12)...)
		}, malformed},
		"text": {func(*player, int) []byte { return []byte("GET / HTTP/1.1\r\nHost: archibald\r\n\r\n") }, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			got := disturbed(t, test.foreign)
			for c := range got.got {
				if !slices.Equal(got.got[c], quiet.got[c]) {
					t.Errorf("channel %d: it changed the sound", c)
				}
			}
			with := got.received()
			wantCount(t, name, *test.counter(&with), 200)
			*test.counter(&with), with.SeenPayloadType = 0, 0
			if !reflect.DeepEqual(with, without) {
				t.Errorf("other counters moved:\n%+v, without\n%+v", with, without)
			}
		})
	}
}

// Everything that can be in a datagram that is not from our sender.
func TestRandomDatagramsDoNotChangeTheSound(t *testing.T) {
	quiet := disturbed(t, nil)
	r := rand.New(rand.NewPCG(8, 9))
	total := uint64(0)
	got := disturbed(t, func(*player, int) []byte {
		total++
		b := make([]byte, 1+r.IntN(1500))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if len(b) >= 12 && r.IntN(2) == 0 { // everything right but the SSRC
			copy(b, rtpHeader(98, uint16(r.Uint32()), r.Uint32(), 0))
			binary.BigEndian.PutUint32(b[8:], playerSSRC^(1<<r.IntN(32)))
		}
		return b
	})
	for c := range got.got {
		if !slices.Equal(got.got[c], quiet.got[c]) {
			t.Errorf("channel %d: it changed the sound", c)
		}
	}
	c := got.received()
	wantCount(t, "refused", c.Malformed+c.WrongPayload+c.WrongSSRC, total)
	wantCount(t, "packets", c.Packets, 200)
	wantCount(t, "non-finite", c.NonFinite, 0)
}

// From our own sender, and mad: nothing breaks, and once control has looked where
// the stream is now, it is back.
func TestAMadSenderIsSurvived(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 11))
	p := newPlayer(t, 2, 64)
	p.delayTo(128)
	p.run(500, func(n int) [][]byte {
		packets := p.regular(n)
		if n == 320 {
			for _, o := range p.observe() {
				if o.Kind == stream.KindPacket { // the last is packet 319
					p.v.SeekTo(o.Media - 319*64 - 128)
				}
			}
		}
		if n >= 50 && n < 300 {
			for range r.IntN(5) {
				packets = append(packets, p.packetOf(uint16(r.Uint32()), int64(r.Uint32()), r.IntN(180)))
			}
		}
		return packets
	})
	p.wantStream(450*64, 500*64, 128)
	for c := range p.got {
		for i, x := range p.got[c] {
			if x > 1 || x < -1 || x != x {
				t.Fatalf("channel %d frame %d: %v", c, i, x)
			}
		}
	}
}

func TestALatchedReceiverKeepsTheFirstSSRC(t *testing.T) {
	p := newPlayer(t, 1, 64)
	check(t, p.v.StartReceiver(stream.ReceivePlan{Format: formatF32(1), PayloadType: payloadType(formatF32(1).Encoding)}))
	p.delayTo(128)
	p.run(100, func(n int) [][]byte {
		other := p.packet(n)
		other[11] ^= 1
		return append(p.regular(n), other)
	})
	p.wantStream(300, 100*64, 128)
	wantCount(t, "wrong SSRC", p.received().WrongSSRC, 100)
}

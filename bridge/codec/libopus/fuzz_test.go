package libopus

import (
	"math"
	"testing"

	bridge "archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/stream"
)

// madeUp is what the core has for a receiver: packets that somebody made up.
type madeUp struct {
	t       *testing.T
	input   []byte
	media   int64
	seq     uint16
	nowNs   int64
	blocks  int
	frames  int
	packets int
}

func (s *madeUp) take(n int) []byte {
	n = min(n, len(s.input))
	taken := s.input[:n]
	s.input = s.input[n:]
	return taken
}

func (s *madeUp) byte() int {
	if b := s.take(1); len(b) == 1 {
		return int(b[0])
	}
	return 0
}

// TakePacket makes a packet of what the input says, and now and then ends a batch.
func (s *madeUp) TakePacket(p *stream.ArrivedPacket) bool {
	op := s.byte()
	if len(s.input) == 0 || op%7 == 6 {
		return false
	}
	switch op % 7 {
	case 1:
		s.media += int64(int8(s.byte())) * 120
	case 2:
		s.media += int64(s.byte())
		s.seq += uint16(s.byte())
	case 3:
		s.media += int64(s.byte()-128) << 24
	}
	s.seq++
	s.packets++
	*p = stream.ArrivedPacket{Media: s.media, Sequence: s.seq, ArrivalNs: s.nowNs, SendDelayNs: -1, Again: op > 128, Payload: append(p.Payload[:0], s.take(1+s.byte())...)}
	s.media += 240
	return len(p.Payload) > 0
}

func (s *madeUp) DueNs(media int64) (int64, bool) {
	return s.nowNs + (media-s.media)*1e9/bridge.RateHz + 5e6, s.packets%5 != 0
}

func (s *madeUp) GiveBlock(b stream.Block) bool {
	s.blocks++
	if b.Kind == stream.BlockDecoded || b.Kind == stream.BlockConcealed {
		s.frames += b.Frames
		if b.Frames < 1 || b.Frames > 5760 || len(b.Samples) != 2*b.Frames {
			s.t.Fatalf("block of %d frames, %d samples", b.Frames, len(b.Samples))
		}
	}
	for _, x := range b.Samples {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			s.t.Fatalf("sample %v", x)
		}
	}
	return true
}

// The work is bounded by what came, and 100 ms made up behind each packet and gap.
func FuzzReceiver(f *testing.F) {
	encoder, err := Codec{}.NewEncoder(2, 64000)
	if err != nil {
		f.Fatal(err)
	}
	packet := make([]byte, bridge.MaxPayloadBytes)
	var seed []byte
	for range 8 {
		n, err := encoder.Encode(make([]float32, 480), packet)
		if err != nil {
			f.Fatal(err)
		}
		seed = append(append(seed, 0, byte(n-1)), packet[:n]...)
	}
	f.Add(seed)
	f.Add([]byte{0, 0, 0x03, 1, 5, 0, 0xff, 3, 200, 1, 0xfc, 0xff, 6, 2, 9, 9, 3, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 1<<14 {
			return
		}
		s := &madeUp{t: t, input: input, nowNs: 1e9, media: 1 << 30}
		receiver, err := bridge.NewReceiver(s, Codec{}, 2, func() int64 { return s.nowNs })
		if err != nil {
			t.Fatal(err)
		}
		works := 0
		for ; len(s.input) > 0; works++ {
			receiver.Work()
			s.nowNs += int64(bridge.Interval)
		}
		if most := (s.packets + 1) * 42; s.blocks > most {
			t.Errorf("%d blocks of %d packets, at most %d", s.blocks, s.packets, most)
		}
	})
}

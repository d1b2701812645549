package codec

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"archibald-bridge/bridge/stream"
)

// The codec of these tests has packets of one byte, the number of the packet, and 240
// mono frames in each.
type fakeCodec struct{ made int }

type fakeDecoder struct{ conceals, decodes int }

const fakeFrames = 240

func (c *fakeCodec) NewDecoder(int) (Decoder, error) { c.made++; return &fakeDecoder{}, nil }

func (c *fakeCodec) NewEncoder(int, int) (Encoder, error) { return fakeEncoder{}, nil }

func (d *fakeDecoder) Decode(packet []byte, samples []float32) (int, error) {
	if d.decodes++; packet[0] == 0xff {
		return 0, errors.New("no packet")
	}
	for i := range fakeFrames {
		samples[i] = float32(packet[0])
	}
	return fakeFrames, nil
}

func (d *fakeDecoder) Conceal([]float32) error { d.conceals++; return nil }

type fakeEncoder struct{}

// Encode says which frames the packet has: the first, and how many.
func (fakeEncoder) Encode(samples []float32, packet []byte) (int, error) {
	if samples[0] < 0 {
		return 0, errors.New("refused")
	}
	return copy(packet, fmt.Sprintf("%v+%d", samples[0], len(samples))), nil
}

// network is what the core has for a receiver: packets, and where playout is.
type network struct {
	t        *testing.T
	codec    fakeCodec
	receiver *Receiver
	nowNs    int64
	waiting  []stream.ArrivedPacket
	playing  bool
	dueNs    int64 // of stream frame 0
	full     bool
	told     []string
	blocks   []stream.Block
}

const (
	frameNs  = 1e9 / float64(RateHz)
	packetNs = fakeFrames * 1e9 / RateHz
)

func newNetwork(t *testing.T) *network {
	n := &network{t: t, nowNs: 5e9, playing: true}
	receiver, err := NewReceiver(n, &n.codec, 1, func() int64 { return n.nowNs })
	if err != nil {
		t.Fatal(err)
	}
	n.receiver = receiver
	n.dueIn(0, 20e6)
	return n
}

func (n *network) TakePacket(p *stream.ArrivedPacket) bool {
	if len(n.waiting) == 0 {
		return false
	}
	payload := append(p.Payload[:0], n.waiting[0].Payload...)
	*p = n.waiting[0]
	p.Payload = payload
	n.waiting = n.waiting[1:]
	return true
}

func (n *network) DueNs(media int64) (int64, bool) {
	return n.dueNs + int64(float64(media)*frameNs), n.playing
}

func (n *network) GiveBlock(b stream.Block) bool {
	if n.full {
		return false
	}
	word := map[stream.BlockKind]string{stream.BlockDecoded: "decoded", stream.BlockConcealed: "made up", stream.BlockLate: "late", stream.BlockMalformed: "malformed"}[b.Kind]
	if b.Kind == stream.BlockDecoded && b.Samples[0] != float32(byte(b.Media/fakeFrames)) {
		word = fmt.Sprintf("wrongly placed %v", b.Samples[0])
	}
	if b.Observed {
		word += " on time"
	}
	n.told = append(n.told, fmt.Sprintf("%s %v", word, float64(b.Media)/fakeFrames))
	n.blocks = append(n.blocks, b)
	return true
}

// dueIn says when playout needs the first frame of a packet.
func (n *network) dueIn(packet int, ns int64) {
	n.dueNs = n.nowNs + ns - int64(packet)*packetNs
}

// comes lets packets arrive, in this order, and the receiver work.
func (n *network) comes(packets ...int) {
	for _, p := range packets {
		n.waiting = append(n.waiting, stream.ArrivedPacket{
			Media: int64(p) * fakeFrames, Sequence: uint16(1000 + p), ArrivalNs: n.nowNs, SendDelayNs: -1, Payload: []byte{byte(p)},
		})
	}
	n.receiver.Work()
}

// passes lets time go by.
func (n *network) passes(ns int64) {
	for end := n.nowNs + ns; n.nowNs < end; {
		n.nowNs += int64(Interval)
		n.receiver.Work()
	}
}

// wants holds what playout was given since it was last asked.
func (n *network) wants(told ...string) {
	n.t.Helper()
	if got, want := strings.Join(n.told, ", "), strings.Join(told, ", "); got != want {
		n.t.Errorf("got  %s\nwant %s", got, want)
	}
	n.told = nil
}

package codec

import (
	"cmp"
	"slices"
	"time"

	"archibald-bridge/bridge/stream"
)

const (
	// Interval is how often Work must be called.
	Interval = time.Millisecond
	// MarginFrames is how long before playout needs it, in frames, a missing packet
	// is given up: twice the interval. The buffer target is so much larger.
	MarginFrames = 2 * RateHz / 1000

	marginNs = int64(2 * Interval)

	mostPending    = 64              // packets behind a missing one
	mostRead       = 2 * mostPending // packets taken at a time
	mostConcealed  = RateHz / 10     // frames made up in a row; the core fades out the rest
	restartFrames  = RateHz          // a jump of the timestamps that is a new beginning
	concealQuantum = RateHz / 400    // 2.5 ms: what a decoder makes up is a multiple of it
)

// Receiver decodes packets in their order. A packet that is missing is waited for
// as long as playout can do without it; then the decoder makes it up. So reordered
// packets and repeats cost nothing but what the buffer target already has for them.
type Receiver struct {
	core     stream.ReceiveTap
	codec    Codec
	decoder  Decoder
	channels int
	nowNs    func() int64

	started   bool
	next      int64                  // the stream frame that the decoder comes to next
	sequence  uint16                 // of the packet before
	frames    int                    // that it had
	concealed int                    // frames made up since
	pending   []stream.ArrivedPacket // in order, none before next
	free      []stream.ArrivedPacket // with room for a payload
	samples   []float32
}

// NewReceiver returns a receiver that has seen nothing.
func NewReceiver(core stream.ReceiveTap, codec Codec, channels int, nowNs func() int64) (*Receiver, error) {
	decoder, err := codec.NewDecoder(channels)
	if err != nil {
		return nil, err
	}
	return &Receiver{core: core, codec: codec, decoder: decoder, channels: channels, nowNs: nowNs,
		pending: make([]stream.ArrivedPacket, 0, mostPending+1), samples: make([]float32, maxPacketFrames*channels)}, nil
}

// Work decodes what has come and makes up what has not come in time.
func (r *Receiver) Work() {
	for range mostRead {
		p := r.blank()
		if !r.core.TakePacket(&p) {
			r.free = append(r.free, p)
			break
		}
		r.take(p)
	}
	for r.step() {
	}
	for i := range r.pending {
		r.pending[i].Again = true // what it waited for is not how late it came
	}
}

func (r *Receiver) blank() stream.ArrivedPacket {
	if n := len(r.free); n > 0 {
		p := r.free[n-1]
		r.free = r.free[:n-1]
		return p
	}
	return stream.ArrivedPacket{Payload: make([]byte, 0, MaxPayloadBytes)}
}

// take sorts a packet in.
func (r *Receiver) take(p stream.ArrivedPacket) {
	if !r.started || p.Media-r.next > restartFrames || r.next-p.Media > restartFrames {
		r.restart(p)
	}
	if p.Media < r.next {
		r.late(p)
		return
	}
	at, again := slices.BinarySearchFunc(r.pending, p.Media, func(q stream.ArrivedPacket, media int64) int { return cmp.Compare(q.Media, media) })
	if again {
		r.free = append(r.free, p)
		return
	}
	r.pending = slices.Insert(r.pending, at, p)
	if len(r.pending) > mostPending {
		r.next = r.pending[0].Media // nothing is worth waiting so long
		r.decode()
	}
}

// restart begins a new stream with a packet.
func (r *Receiver) restart(p stream.ArrivedPacket) {
	if decoder, err := r.codec.NewDecoder(r.channels); err == nil {
		r.decoder = decoder
	}
	r.free = append(r.free, r.pending...)
	r.pending = r.pending[:0]
	r.started, r.next, r.sequence, r.frames, r.concealed = true, p.Media, p.Sequence-1, 0, 0
}

// late tells of a packet that was made up already.
func (r *Receiver) late(p stream.ArrivedPacket) {
	if _, playing := r.core.DueNs(p.Media); playing {
		r.core.GiveBlock(stream.Block{Media: p.Media, Frames: r.frames, ReadyNs: r.nowNs(), ArrivalNs: p.ArrivalNs, SendDelayNs: p.SendDelayNs, Observed: !p.Again && r.frames > 0, Kind: stream.BlockLate})
	}
	r.free = append(r.free, p)
}

// step decodes or makes up one packet; false: there is nothing to do yet.
func (r *Receiver) step() bool {
	if len(r.pending) == 0 {
		return r.started && r.conceal(r.frames)
	}
	first := r.pending[0]
	// Consecutive packets with a gap between them: the sender's graph lost that time.
	if first.Media == r.next || first.Sequence == r.sequence+1 {
		r.next = first.Media
		r.decode()
		return true
	}
	gap := int(first.Media - r.next)
	if r.conceal(min(gap, max(r.frames, concealQuantum))) {
		return true
	}
	if dueNs, playing := r.core.DueNs(r.next); playing && r.nowNs() < dueNs-marginNs {
		return false // it may still come
	}
	r.next = first.Media // the core conceals what is left
	return true
}

// decode takes the first pending packet, which begins at next.
func (r *Receiver) decode() {
	p := r.pending[0]
	r.pending = slices.Delete(r.pending, 0, 1)
	r.free = append(r.free, p)
	n, err := r.decoder.Decode(p.Payload, r.samples)
	if err != nil || n == 0 {
		r.core.GiveBlock(stream.Block{Media: p.Media, Kind: stream.BlockMalformed})
		return // missing, as one that was lost
	}
	r.core.GiveBlock(stream.Block{Media: p.Media, Frames: n, Samples: r.samples[:n*r.channels], ReadyNs: r.nowNs(), ArrivalNs: p.ArrivalNs, SendDelayNs: p.SendDelayNs, Observed: !p.Again})
	r.next, r.sequence, r.frames, r.concealed = p.Media+int64(n), p.Sequence, n, 0
}

// conceal makes up this number of frames when playout is about to need them. false: playout
// does not need them yet, or it is too late.
func (r *Receiver) conceal(frames int) bool {
	frames -= frames % concealQuantum
	if frames == 0 || r.frames == 0 || r.concealed+frames > mostConcealed {
		return false
	}
	dueNs, playing := r.core.DueNs(r.next)
	overNs := dueNs + int64(frames)*int64(time.Second)/RateHz
	if now := r.nowNs(); !playing || now < dueNs-marginNs || now >= overNs {
		return false
	}
	samples := r.samples[: frames*r.channels : frames*r.channels]
	if r.decoder.Conceal(samples) != nil {
		return false
	}
	r.core.GiveBlock(stream.Block{Media: r.next, Frames: frames, Samples: samples, ReadyNs: r.nowNs(), SendDelayNs: -1, Kind: stream.BlockConcealed})
	r.next += int64(frames)
	r.concealed += frames
	r.sequence++
	return true
}

package rt

import (
	"encoding/binary"
	"math"
	"testing"

	"archibald-bridge/bridge/stream"
)

const (
	playerRate = 48000
	playerSSRC = 0x5eed
)

// player is a receiver, and packets made by the test's own code: F32, so that
// what comes out can be compared exactly. Stream frame 0 has the timestamp
// base and is in the packet with the sequence number firstSequence.
type player struct {
	t             *testing.T
	v             *Virtual
	channels      int
	period        int // of the graph, and frames per packet
	base          uint32
	firstSequence uint16
	source        func(frame int64) float32 // channel c plays source(frame) / (c + 1)
	cycle         int
	frame         uint64
	got           [][]float32
}

func newPlayer(t *testing.T, channels, period int) *player {
	t.Helper()
	v, err := NewVirtual(playerRate)
	check(t, err)
	t.Cleanup(v.Close)
	check(t, v.StartReceiver(planF32(channels)))
	return &player{t: t, v: v, channels: channels, period: period, base: 1000, firstSequence: 100,
		source: sine(440, 0.25), got: make([][]float32, channels)}
}

func planF32(channels int) stream.ReceivePlan {
	return stream.ReceivePlan{Format: formatF32(channels), PayloadType: payloadType(formatF32(channels).Encoding), SSRC: playerSSRC}
}

func formatF32(channels int) stream.Format {
	return stream.Format{Encoding: stream.F32, RateHz: playerRate, Channels: channels}
}

// sine is a tone of amplitude, frame 0 at a zero crossing.
func sine(hz, amplitude float64) func(int64) float32 {
	return func(frame int64) float32 {
		return float32(amplitude * math.Sin(2*math.Pi*hz*float64(frame)/playerRate))
	}
}

// rtpHeader is RFC 3550, section 5.1, without options.
func rtpHeader(payloadType uint8, sequence uint16, timestamp, ssrc uint32) []byte {
	b := []byte{0x80, payloadType}
	b = binary.BigEndian.AppendUint16(b, sequence)
	b = binary.BigEndian.AppendUint32(b, timestamp)
	return binary.BigEndian.AppendUint32(b, ssrc)
}

// packetOf makes a packet of stream frames [from, from+frames).
func (p *player) packetOf(sequence uint16, from int64, frames int) []byte {
	b := rtpHeader(98, sequence, p.base+uint32(from), playerSSRC)
	for i := range int64(frames) {
		for c := range p.channels {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(p.sample(from+i, c)))
		}
	}
	return b
}

func (p *player) sample(frame int64, channel int) float32 {
	return p.source(frame) / float32(channel+1)
}

// packet is the packet that belongs to cycle n.
func (p *player) packet(n int) []byte {
	return p.packetOf(p.firstSequence+uint16(n), int64(n*p.period), p.period)
}

func (p *player) nowNs() int64 {
	return 1e9 + int64(math.Round(float64(p.frame)*1e9/playerRate))
}

// play runs one cycle in which these packets arrive.
func (p *player) play(packets ...[]byte) [][]float32 {
	for _, packet := range packets {
		p.v.Receive(packet, p.nowNs())
	}
	out := p.v.Play(p.channels, p.period, p.frame, p.nowNs())
	for c := range out {
		p.got[c] = append(p.got[c], out[c]...)
	}
	p.cycle++
	p.frame += uint64(p.period)
	return out
}

// delayTo puts the playout frames behind: from the next cycle on, graph frame
// n plays stream frame n-frames.
func (p *player) delayTo(frames int64) { p.v.SeekTo(int64(p.base) - frames) }

// run plays cycles in which the packets arrive that deliver names.
func (p *player) run(cycles int, deliver func(cycle int) [][]byte) {
	for range cycles {
		p.play(deliver(p.cycle)...)
	}
}

// regular is the network that does nothing.
func (p *player) regular(cycle int) [][]byte { return [][]byte{p.packet(cycle)} }

// lose is the network that loses the packets from first up to last.
func (p *player) lose(first, last int) func(int) [][]byte {
	return func(cycle int) [][]byte {
		if cycle >= first && cycle <= last {
			return nil
		}
		return p.regular(cycle)
	}
}

// wantStream holds played frames [from, to) to the stream, delay frames behind,
// bit for bit.
func (p *player) wantStream(from, to int, delay int64) {
	p.t.Helper()
	for c := range p.got {
		for i := from; i < to; i++ {
			if want := p.sample(int64(i)-delay, c); p.got[c][i] != want {
				p.t.Fatalf("channel %d frame %d: got %v, want %v", c, i, p.got[c][i], want)
			}
		}
	}
}

// wantSilence holds played frames [from, to) to digital silence.
func (p *player) wantSilence(from, to int) {
	p.t.Helper()
	for c := range p.got {
		for i := from; i < to; i++ {
			if p.got[c][i] != 0 {
				p.t.Fatalf("channel %d frame %d: got %v, want silence", c, i, p.got[c][i])
			}
		}
	}
}

// wantNoClick bounds every step from one frame to the next.
func (p *player) wantNoClick(from, to int, limit float64) {
	p.t.Helper()
	for c := range p.got {
		if at, step := largestStep(p.got[c][from:to]); step > limit/float64(c+1) {
			p.t.Errorf("channel %d frame %d: a step of %.4f, allowed are %.4f", c, from+at, step, limit/float64(c+1))
		}
	}
}

func largestStep(x []float32) (at int, step float64) {
	for i := 1; i < len(x); i++ {
		if d := math.Abs(float64(x[i]) - float64(x[i-1])); d > step {
			at, step = i, d
		}
	}
	return at, step
}

// clickLimit is twice the largest step of the -12 dBFS 440 Hz sine itself: it
// leaves room for a fade on top of the tone, and none for a jump.
func clickLimit() float64 { return 2 * 0.25 * 2 * math.Pi * 440 / playerRate }

func (p *player) received() stream.ReceiveCounters { return p.v.Counters().Received }

// observe empties the observation ring.
func (p *player) observe() []stream.Observation {
	var all []stream.Observation
	buf := make([]stream.Observation, 256)
	for {
		n := p.v.Observe(buf)
		all = append(all, buf[:n]...)
		if n == 0 {
			return all
		}
	}
}

func wantCount(t *testing.T, name string, got, want uint64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %d, want %d", name, got, want)
	}
}

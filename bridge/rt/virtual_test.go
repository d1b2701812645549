package rt

import (
	"math"
	"math/rand/v2"
	"testing"

	"archibald-bridge/bridge/stream"
)

// pair is a sender and a receiver joined by a test's own network.
type pair struct {
	t      *testing.T
	tx, rx *Virtual
	format stream.Format
	period int
	cycle  int
	source func(frame int64, channel int) float32
	got    [][]float32
}

func newPair(t *testing.T, f stream.Format, period int) *pair {
	t.Helper()
	p := &pair{t: t, format: f, period: period, got: make([][]float32, f.Channels)}
	for _, v := range []**Virtual{&p.tx, &p.rx} {
		engine, err := NewVirtual(f.RateHz)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(engine.Close)
		*v = engine
	}
	check(t, p.tx.StartSender(stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: packetFrames(f, period), SSRC: 7}))
	check(t, p.rx.StartReceiver(stream.ReceivePlan{Format: f, PayloadType: payloadType(f.Encoding), SSRC: 7}))
	return p
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *pair) cycleNs(cycle int) int64 {
	return 1e9 + int64(math.Round(float64(cycle*p.period)*1e9/float64(p.format.RateHz)))
}

// send captures one period and returns its datagrams.
func (p *pair) send(cycle int) [][]byte {
	in := make([][]float32, p.format.Channels)
	for c := range in {
		in[c] = make([]float32, p.period)
		for i := range in[c] {
			in[c][i] = p.source(int64(cycle*p.period+i), c)
		}
	}
	frame, now := uint64(cycle*p.period), p.cycleNs(cycle)
	p.tx.Advance(p.period, frame, now)
	return p.tx.Capture(in, frame, now)
}

// run plays cycles; network says what arrives in each.
func (p *pair) run(cycles int, network func(cycle int, sent [][]byte) [][]byte) {
	for range cycles {
		sent := p.send(p.cycle)
		now := p.cycleNs(p.cycle)
		for _, d := range network(p.cycle, sent) {
			p.rx.Receive(d, now)
		}
		out := p.rx.Play(p.format.Channels, p.period, uint64(p.cycle*p.period), now)
		for c := range out {
			p.got[c] = append(p.got[c], out[c]...)
		}
		p.cycle++
	}
}

func direct(_ int, sent [][]byte) [][]byte { return sent }

// start runs cycles until the first packet is observed, mostly one, then puts
// the playout delayFrames behind the sender.
func (p *pair) start(delayFrames int64) {
	buf := make([]stream.Observation, 64)
	for range 2 {
		p.run(1, direct)
		for _, o := range buf[:p.rx.Observe(buf)] {
			if o.Kind == stream.KindPacket {
				// The packet's first frame was captured at local media time 0.
				p.rx.SeekTo(o.Media - delayFrames)
				return
			}
		}
	}
	p.t.Fatal("no packet was observed")
}

func noise(f stream.Format, seed uint64) func(int64, int) float32 {
	return func(frame int64, channel int) float32 {
		r := rand.New(rand.NewPCG(seed+uint64(channel), uint64(frame)))
		if f.Encoding == stream.F32 {
			return float32(r.Float64()*4 - 2)
		}
		bits := 8*f.Encoding.BytesPerSample() - 1
		return float32(r.Int64N(1<<(bits+1))-1<<bits) / float32(int64(1)<<bits)
	}
}

func TestEveryFormatIsBitExactWhenClocksAreEqual(t *testing.T) {
	for _, e := range []stream.Encoding{stream.F32, stream.L24, stream.L16} {
		for _, channels := range []int{1, 2, 8, 64} {
			f := stream.Format{Encoding: e, RateHz: 48000, Channels: channels}
			t.Run(f.String(), func(t *testing.T) {
				p := newPair(t, f, 64)
				p.source = noise(f, 1)
				const delay, fadedIn = 100, 300
				p.start(delay)
				p.run(100, direct)
				for c := range p.got {
					for i := fadedIn; i < len(p.got[c]); i++ {
						if want := p.source(int64(i-delay), c); p.got[c][i] != want {
							t.Fatalf("channel %d frame %d: got %v, want %v", c, i, p.got[c][i], want)
						}
					}
				}
			})
		}
	}
}

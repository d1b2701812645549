package rt

import (
	"encoding/binary"
	"testing"

	"archibald-bridge/bridge/stream"
)

// Sixteen guests of sixty-four channels each, 1,024 in all, through cores of their
// own at period 64: every sample arrives in its channel, and nobody else's.
func TestAThousandChannelsArriveEachInItsPlace(t *testing.T) {
	const guests, channels, period, cycles, delay = 16, MaxChannels, 64, 100, 128
	f := formatF32(channels)
	type pair struct {
		tx, rx *Virtual
		in     [][]float32
	}
	all := make([]pair, guests)
	for g := range all {
		rx, err := NewVirtual(playerRate)
		check(t, err)
		t.Cleanup(rx.Close)
		check(t, rx.StartReceiver(stream.ReceivePlan{Format: f, PayloadType: payloadType(f.Encoding), SSRC: uint32(g + 1)}))
		all[g] = pair{newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: packetFrames(f, period), SSRC: uint32(g + 1)}), rx, make([][]float32, channels)}
		for c := range all[g].in {
			all[g].in[c] = make([]float32, period)
		}
	}
	// Exact in a float: frame, channel and guest.
	sample := func(frame, channel, guest int) float32 {
		return float32((frame*channels+channel)*guests+guest) / (1 << 24)
	}
	compared := 0
	for n := range cycles {
		frame, now := uint64(n*period), 1e9+int64(n)*period*1e9/playerRate
		for g, p := range all {
			for c := range p.in {
				for i := range p.in[c] {
					p.in[c][i] = sample(n*period+i, c, g)
				}
			}
			p.tx.Advance(period, frame, now)
			datagrams := p.tx.Capture(p.in, frame, now)
			if len(datagrams) != 16 {
				t.Fatalf("%d packets a period", len(datagrams))
			}
			for _, other := range all { // each gets everybody's
				for _, d := range datagrams {
					other.rx.Receive(d, now)
				}
			}
			if n == 0 {
				p.rx.SeekTo(int64(binary.BigEndian.Uint32(datagrams[0][4:])) - delay)
			}
		}
		for g, p := range all {
			out := p.rx.Play(channels, period, frame, now)
			if n < 8 {
				continue
			}
			for c := range out {
				for i, got := range out[c] {
					if want := sample(n*period+i-delay, c, g); got != want {
						t.Fatalf("guest %d channel %d cycle %d frame %d: got %v, want %v", g, c, n, i, got, want)
					}
					compared++
				}
			}
		}
	}
	for g, p := range all {
		r := p.rx.Counters().Received
		if r.ConcealedFrames > 0 || r.Lost > 0 || r.WrongSSRC != uint64((guests-1)*16*cycles) {
			t.Errorf("guest %d: %+v", g, r)
		}
	}
	t.Logf("%d samples compared", compared)
}

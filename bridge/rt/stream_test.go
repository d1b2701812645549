package rt

import (
	"fmt"
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
)

func TestPacketSizesMayChangeInTheStream(t *testing.T) {
	p := newPlayer(t, 2, 64)
	p.delayTo(256)
	sizes := []int{64, 1, 63, 128, 7, 121, 32, 96, 64}
	at, sequence := int64(0), p.firstSequence
	p.run(100, func(n int) [][]byte {
		var packets [][]byte
		for at < int64((n+1)*64) {
			frames := sizes[int(sequence)%len(sizes)]
			packets = append(packets, p.packetOf(sequence, at, frames))
			at += int64(frames)
			sequence++
		}
		return packets
	})
	p.wantStream(600, 100*64, 256)
	wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
}

func TestTheReceiversPeriodMayChangeWhileItPlays(t *testing.T) {
	const delay, packetFrames = 1000, 50
	p := newPlayer(t, 2, 64)
	p.delayTo(delay)
	sent := 0
	for _, period := range []int{64, 1, 7, 256, 1024, 31, 128, 3, 64} {
		p.period = period
		p.run(max(30, 2000/period), func(int) [][]byte {
			var packets [][]byte
			for uint64(sent*packetFrames) < p.frame+uint64(period) {
				packets = append(packets, p.packetOf(p.firstSequence+uint16(sent), int64(sent*packetFrames), packetFrames))
				sent++
			}
			return packets
		})
	}
	p.wantStream(delay+400, len(p.got[0]), delay)
	wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
	wantCount(t, "skips", p.received().Skips, 0)
}

func TestEveryPeriodPlaysBitForBit(t *testing.T) {
	for _, period := range []int{1, 2, 3, 5, 7, 16, 17, 31, 64, 127, 509, 1024, 1021, 2048, 4093, 4096, 8191, 8192} {
		t.Run(fmt.Sprint(period), func(t *testing.T) {
			p := newPlayer(t, 2, period)
			p.source = func(frame int64) float32 { return float32(frame%100003) / 100003 }
			delay := int64(period)
			p.delayTo(delay)
			// A packet of this test is as long as its payload may be.
			split := func(n int) [][]byte {
				var packets [][]byte
				parts := (period + 127) / 128
				for k := range parts {
					from := k * 128
					frames := min(128, period-from)
					packets = append(packets, p.packetOf(p.firstSequence+uint16(n*parts+k), int64(n*period+from), frames))
				}
				return packets
			}
			cycles := max(6, 1000/period)
			p.run(cycles, split)
			p.wantStream(2*period+crossfadeFrames, cycles*period, delay)
			wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
			wantCount(t, "outside", p.received().Outside, 0)
		})
	}
}

func TestEveryChannelCountPlaysBitForBit(t *testing.T) {
	for _, channels := range []int{1, 2, 3, 8, 63, 64} {
		t.Run(fmt.Sprint(channels), func(t *testing.T) {
			p := newPlayer(t, channels, 4)
			p.delayTo(64)
			p.run(100, p.regular)
			p.wantStream(200, 400, 64)
		})
	}
}

func TestOutputsBeyondTheStreamAreSilent(t *testing.T) {
	p := newPlayer(t, 2, 64)
	p.delayTo(64)
	for n := range 20 {
		p.v.Receive(p.packet(n), p.nowNs())
		out := p.v.Play(5, 64, p.frame, p.nowNs())
		for c, samples := range out {
			if n >= 5 {
				for i, x := range samples {
					want := float32(0)
					if c < 2 {
						want = p.sample(int64((n-1)*64+i), c)
					}
					if x != want {
						t.Fatalf("channel %d frame %d: got %v, want %v", c, i, x, want)
					}
				}
			}
			clear(samples)
			samples[0] = 99 // what a server leaves in a buffer
		}
		p.frame += 64
	}
}

func TestFewerOutputsThanTheStreamHas(t *testing.T) {
	p := newPlayer(t, 3, 64)
	p.delayTo(64)
	for n := range 40 {
		p.v.Receive(p.packet(n), p.nowNs())
		channels := []int{3, 1, 0, 2}[n%4] // ports come and go
		for c, samples := range p.v.Play(channels, 64, p.frame, p.nowNs()) {
			for i, x := range samples {
				if want := p.sample(int64((n-1)*64+i), c); n >= 5 && x != want {
					t.Fatalf("cycle %d channel %d frame %d: got %v, want %v", n, c, i, x, want)
				}
			}
		}
		p.frame += 64
	}
	wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
}

// The peer's end starts again under its name: same SSRC, new timestamps.
func TestASenderThatBeginsAnewIsHeardAfterASeek(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	p.run(50, p.regular)
	p.base += 1 << 29
	p.firstSequence += 20000
	p.run(10, p.regular)
	p.delayTo(128)
	p.run(50, p.regular)
	p.wantStream(61*64+200, 110*64, 128)
	p.wantNoClick(20*64, 110*64, clickLimit())
}

func TestAReplacedReceiverStartsAnew(t *testing.T) {
	p := newPlayer(t, 1, 64)
	p.delayTo(128)
	p.run(50, p.regular)
	f := stream.ReceivePlan{Format: formatF32(1), PayloadType: payloadType(formatF32(1).Encoding), SSRC: playerSSRC}
	check(t, p.v.StartReceiver(f))
	p.run(1, p.regular)
	p.wantSilence(50*64, 51*64)
	p.delayTo(128)
	p.run(50, p.regular)
	p.wantStream(54*64+crossfadeFrames, 101*64, 128)
	p.v.StopReceiver()
	p.run(2, p.regular)
	p.wantSilence(101*64, 103*64)
}

// Each new beginning is a jump of less than half the range of timestamps; the
// extended ones follow all of them, in both directions.
func TestExtendedTimestampsFollowASenderThatBeginsAnewOftenAndFarAway(t *testing.T) {
	for _, jump := range []int64{1 << 30, -1 << 30, 1<<31 - 1000, -1<<31 + 1000, 5000, -5000} {
		p := newPlayer(t, 1, 64)
		want := int64(p.base)
		for range 7 {
			p.run(5, p.regular)
			packets := slices.DeleteFunc(p.observe(), func(o stream.Observation) bool { return o.Kind != stream.KindPacket })
			if len(packets) < 4 { // the first one is doubted until the second confirms it
				t.Fatalf("jumps of %d: %d packets of 5", jump, len(packets))
			}
			for i, o := range packets {
				if at := want + int64((p.cycle-len(packets)+i)*64); o.Media != at {
					t.Fatalf("jumps of %d: packet at %d, want %d", jump, o.Media, at)
				}
			}
			want += jump
			p.base += uint32(jump)
			p.firstSequence += 5000
		}
	}
}

package interop

import (
	"testing"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/signal"
)

func TestACaptureIsPlayedBitForBitOnVirtualTime(t *testing.T) {
	c := Case{Peer: FFmpeg, Direction: Receive, Encoding: proto.L24, Channels: 2, RateHz: 48000}
	format := proto.Format{Encoding: c.Encoding, RateHz: c.RateHz, Channels: c.Channels}
	sender, err := rt.NewVirtual(c.RateHz)
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if err := sender.StartSender(stream.SendPlan{Format: stream.Format{Encoding: stream.Encoding(format.Encoding), RateHz: format.RateHz, Channels: format.Channels}, PayloadType: format.Encoding.PayloadType(), SSRC: 7, PacketFrames: 200}); err != nil {
		t.Fatal(err)
	}
	const seed, seconds = 5, 3
	noise := signal.Noise(seed+1, 0, seconds*c.RateHz, false)
	var all []datagram
	for at := 0; at+periodFrames <= len(noise); at += periodFrames {
		nowNs := int64(at) * 1e9 / int64(c.RateHz)
		sender.Advance(periodFrames, uint64(at), nowNs) // its media clock runs
		for _, data := range sender.Capture([][]float32{noise[at : at+periodFrames], noise[at : at+periodFrames]}, uint64(at), nowNs) {
			all = append(all, datagram{data, nowNs})
		}
	}
	for _, planted := range []bool{false, true} {
		if planted { // one bit of either channel
			all[300].data[100] ^= 1
			all[300].data[103] ^= 1
		}
		heard, err := playVirtually(format, all)
		if err != nil {
			t.Fatal(err)
		}
		r := Result{Case: c}
		r.judgeNoise(heard[1], seed, 1)
		if (r.Different > 0) != planted || r.Compared < 2*c.RateHz {
			t.Errorf("fault planted %v: %d of %d frames differ", planted, r.Different, r.Compared)
		}
	}
}

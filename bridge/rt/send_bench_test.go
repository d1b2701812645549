package rt_test

import (
	"net/netip"
	"slices"
	"testing"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/testbed/rttest"
)

// A capture cycle of 32 frames with its system call, as the routes say and from an
// address of ours.
func BenchmarkSend(b *testing.B) {
	for _, listens := range []string{"0.0.0.0:0", "[::]:0"} {
		for name, source := range map[string]netip.Addr{"as the routes say": {}, "from an address": netip.MustParseAddr("127.0.0.1")} {
			b.Run(listens+" "+name, func(b *testing.B) {
				e, err := rt.Open(netip.MustParseAddrPort(listens))
				if err != nil {
					b.Fatal(err)
				}
				defer e.Close()
				sink, err := rt.Open(netip.MustParseAddrPort("127.0.0.1:0")) // nothing comes in
				if err != nil {
					b.Fatal(err)
				}
				defer sink.Close()
				e.SetGraph(48000)
				const frames = 32
				plan := stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: frames, SSRC: 1, To: sink.LocalAddr(), Source: source}
				if err := e.StartSender(plan); err != nil {
					b.Fatal(err)
				}
				plane := slices.Repeat([]float32{0.25}, 2*frames)
				rttest.Playout(e, plane, 2, frames, 0, 1e9, 1e9)
				b.ResetTimer()
				for i := range b.N {
					rttest.Capture(e, plane, 2, frames, uint64(i)*frames, 1e9)
				}
			})
		}
	}
}

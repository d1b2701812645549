package rt

import (
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
)

// The ring of captured sound is a power of two long, and so are most periods: only
// others, and packets of other lengths, ever straddle its end.
func TestNoSampleIsLostWhereTheCaptureRingWraps(t *testing.T) {
	f := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 2}
	for _, period := range []int{1, 31, 100, 1000, 4097, 8191} {
		packet := min(period, 61)
		tx := newSender(t, stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: packet, SSRC: playerSSRC})
		var played, sent [2][]float32
		for frame := 0; frame < 100_000; frame += period {
			in := [][]float32{make([]float32, period), make([]float32, period)}
			for i := range period {
				in[0][i], in[1][i] = float32(frame+i+1), -float32(frame+i+1) // exact up to 1<<24
			}
			now := int64(1e9) + int64(frame)*1e9/playerRate
			tx.Advance(period, uint64(frame), now)
			for _, datagram := range tx.Capture(in, uint64(frame), now) {
				for c := range sent {
					sent[c] = append(sent[c], Decode(f, datagram[12:], c)...)
				}
			}
			for c := range played {
				played[c] = append(played[c], in[c]...)
			}
		}
		for c := range sent {
			if n := len(sent[c]); n < 99_000 || !slices.Equal(sent[c], played[c][:n]) {
				t.Errorf("period %d, channel %d: %d frames sent are not the first of the %d played", period, c, n, len(played[c]))
			}
		}
	}
}

package receive

import (
	"testing"
	"time"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/proto"
)

// noCore knows only the length of its resampler.
type noCore struct{ Core }

func (noCore) LookaheadFrames() int { return 12 }

type knows map[string]int

func (k knows) Jitter(peer string) int                     { return k[peer] }
func (k knows) SetJitter(peer string, f int, _ bool) error { k[peer] = f; return nil }

func TestTheTargetGrowsByWhatRepeatsAndTheCodecTake(t *testing.T) {
	for _, c := range []struct {
		encoding         proto.Encoding
		period, frames   int
		copies, distance int
		extra            int
	}{
		{proto.F32, 48, 48, 0, 0, 0},
		{proto.F32, 48, 48, 1, 0, 0},
		{proto.F32, 48, 48, 1, 2, 96},
		{proto.F32, 48, 48, 2, 8, 768},
		{proto.Opus, 128, 480, 0, 0, codec.MarginFrames},
		{proto.Opus, 128, 480, 1, 0, codec.MarginFrames},
		{proto.Opus, 128, 480, 1, 3, codec.MarginFrames + 1440},
	} {
		d := New(Settings{}, Parts{Core: noCore{}, Memory: knows{"peer": 16}})
		d.stream = Stream{
			Format: proto.Format{Encoding: c.encoding, RateHz: 48000, Channels: 2}, PeriodFrames: c.period, PacketFrames: c.frames,
			Terms: proto.Terms{Redundancy: proto.Redundancy{Copies: c.copies, Distance: c.distance}}, Peer: "peer",
		}
		got := d.servoConfig(d.stream.plan().Repeats)
		if got.ExtraFrames != c.extra || got.DelayByPacket != (c.encoding == proto.Opus) || got.JitterFrames != 16 || got.PeriodFrames != c.period || got.LookaheadFrames != 12 {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

func TestLatencyIsCountedAtTheRateOfTheStream(t *testing.T) {
	for _, c := range []struct {
		wanted                Latency
		rateHz, graphHz, want int
		asked                 bool
	}{
		{Latency{}, 48000, 48000, 0, false},
		{Latency{Frames: 96}, 48000, 48000, 96, true},
		{Latency{Frames: 96}, 96000, 96000, 96, true},
		{Latency{Frames: 96}, 44100, 44100, 96, true},
		{Latency{Frames: 96}, 96000, 48000, 192, true}, // the frames are of this end's graph
		{Latency{Frames: 96}, 44100, 48000, 88, true},  // 88.2
		{Latency{Frames: 1}, 8000, 48000, 1, true},
		{Latency{Frames: 96}, 0, 0, 96, true},
		{Latency{Duration: 2 * time.Millisecond}, 48000, 96000, 96, true},
		{Latency{Duration: 2 * time.Millisecond}, 44100, 44100, 88, true}, // 88.2
		{Latency{Duration: 200 * time.Millisecond}, 192000, 192000, 38400, true},
	} {
		if got := c.wanted.FramesAt(c.rateHz, c.graphHz); got != c.want || c.wanted.Asked() != c.asked {
			t.Errorf("%+v at %d Hz: %d frames, asked %v", c.wanted, c.rateHz, got, c.wanted.Asked())
		}
	}
}

package session

import (
	"errors"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// fakeCodec remembers what it is asked for.
type fakeCodec struct {
	channels, bitrate int
	err               error
}

func (c *fakeCodec) NewEncoder(channels, bitrate int) (codec.Encoder, error) {
	c.channels, c.bitrate = channels, bitrate
	return nil, c.err
}

func (c *fakeCodec) NewDecoder(int) (codec.Decoder, error) { return nil, c.err }

func asksForOpus(c *Settings) { c.Format, c.RateHz = proto.Opus, codec.RateHz }

// agreedOpus is a session of Opus. The peer's packets have 480 frames, its period 128.
func agreedOpus(copies, distance int) signaling.Session {
	s := agreed("a")
	a := &s.Agreement
	a.Send.Encoding, a.Receive.Encoding = proto.Opus, proto.Opus
	a.PeerPacketFrames, a.PeerPeriodFrames, a.PeerMaxBitrate, a.SendDelay = 480, 128, 96000, true
	a.Redundancy = proto.Redundancy{Copies: copies, Distance: distance}
	return s
}

func newOpus(t *testing.T, change ...func(*Settings)) (*virtual, *fakeCodec) {
	codec := &fakeCodec{}
	v := newVirtualOf(t, func(p *Parts) { p.Codec, p.Tap = codec, &idleTap{} }, append([]func(*Settings){asksForOpus}, change...)...)
	v.openAudio()
	t.Cleanup(v.stopStreams)
	return v, codec
}

func TestOpusIsDescribedOnlyWhereItIsAskedFor(t *testing.T) {
	v, _ := newOpus(t, func(c *Settings) { c.Ptime = 2500 * time.Microsecond })
	d := v.local.Load()
	if len(d.Payloads) != 1 || d.Payloads[0] != (proto.Payload{Type: 111, Encoding: proto.Opus}) || d.PacketFrames != 120 || d.MaxBitrate != 128000 {
		t.Errorf("%+v", d)
	}
	other := newVirtual(t)
	other.openAudio()
	for _, p := range other.local.Load().Payloads {
		if p.Encoding == proto.Opus {
			t.Error("an end that was not told to offers Opus")
		}
	}
}

func TestOpusIsSentInItsPacketTimeAndItsRepeatsCountPackets(t *testing.T) {
	for _, c := range []struct {
		ptime         time.Duration
		distance      int
		frames        int
		copies        int
		send, receive stream.Repeats
	}{
		{0, 0, 240, 0, stream.Repeats{}, stream.Repeats{}},
		{20 * time.Millisecond, 0, 960, 1, stream.Repeats{Copies: 1}, stream.Repeats{Copies: 1}},
		{2500 * time.Microsecond, 3, 120, 1, stream.Repeats{Copies: 1, DistanceFrames: 360}, stream.Repeats{Copies: 1, DistanceFrames: 1440}},
	} {
		v, codec := newOpus(t, func(cfg *Settings) { cfg.Ptime = c.ptime })
		v.up(agreedOpus(c.copies, c.distance))
		if s := v.core.sender; s == nil || s.PacketFrames != c.frames || s.Repeats != c.send {
			t.Errorf("%+v: sender %+v", c, s)
		}
		if r := v.core.receiver; r == nil || r.Repeats != c.receive {
			t.Errorf("%+v: receiver %+v", c, r)
		}
		if codec.channels != 2 || codec.bitrate != 96000 {
			t.Errorf("encoder of %d channels, %d bit/s: the peer wants 96000 at most", codec.channels, codec.bitrate)
		}
	}
}

func TestTheCodecWorksWhileTheStreamsAreThere(t *testing.T) {
	for encoding, codes := range map[proto.Encoding]bool{proto.Opus: true, proto.F32: false} {
		tap := &idleTap{}
		v := newVirtualOf(t, func(p *Parts) { p.Codec, p.Tap = &fakeCodec{}, tap })
		v.openAudio()
		s := agreedOpus(0, 0)
		s.Agreement.Send.Encoding, s.Agreement.Receive.Encoding = encoding, encoding
		v.up(s)
		if codes {
			eventually(t, "the codec works", func() bool { return tap.cycles.Load() > 2 && tap.packets.Load() > 2 })
		}
		time.Sleep(10 * codec.Interval)
		v.down("a")
		cycles, packets := tap.cycles.Load(), tap.packets.Load()
		if !codes && cycles+packets != 0 {
			t.Errorf("%s has a codec", encoding)
		}
		time.Sleep(10 * codec.Interval)
		if tap.cycles.Load() != cycles || tap.packets.Load() != packets {
			t.Errorf("%s: the codec works on", encoding)
		}
	}
}

func TestACodecThatCannotBeMadeIsTold(t *testing.T) {
	v, codec := newOpus(t)
	codec.err = errors.New("no memory for it")
	v.up(agreedOpus(0, 0))
	v.publish()
	v.logged("no memory for it", 2)
	if v.core.sender != nil || v.core.receiver != nil {
		t.Error("the core has plans")
	}
}

func TestOpusNeeds48kHz(t *testing.T) {
	v := newVirtual(t, asksForOpus)
	v.audio.graph.RateHz = 44100
	v.openAudio()
	if v.usable() || !strings.Contains(v.audioError, "runs at 44100 Hz, --format opus needs 48000 Hz") {
		t.Errorf("open %v: %q", v.usable(), v.audioError)
	}
}

func TestTheStagesOfOpusHaveItsPacketAndItsCodec(t *testing.T) {
	v, _ := newOpus(t)
	v.up(agreedOpus(0, 0))
	v.runs, v.core.packets = true, true
	v.pass(2 * time.Second)
	v.streams.packetFrames = 480
	linear := playing(t)
	stages := v.latency().Stages
	plain := linear.latency().Stages
	if stages.Packet != (480-128)*1e9/testRate || stages.Codec != 2.5e6 || plain.Packet != 0 || plain.Codec != 0 {
		t.Errorf("%+v and %+v", stages, plain)
	}
	if got := stages.Sum() - v.streams.receive.Clock().DelayFrames*1e9/testRate; got < 9.8e6 || got > 9.9e6 {
		t.Errorf("%.0f ns beyond the delay of playout, want packet and codec, 9.833 ms", got)
	}
}

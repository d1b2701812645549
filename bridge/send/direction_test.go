package send

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// fakeCore remembers what it is told.
type fakeCore struct {
	calls []string
	plan  stream.SendPlan
	err   error
}

func (c *fakeCore) StartSender(p stream.SendPlan) error {
	c.calls, c.plan = append(c.calls, "start"), p
	return c.err
}

func (c *fakeCore) StopSender() { c.calls = append(c.calls, "stop") }

// noSound is a tap without captured sound.
type noSound struct{}

func (noSound) TakeCycle(*stream.Cycle) bool { return false }
func (noSound) SendCoded(stream.CodedPacket) {}

// fakeCodec remembers what it is asked for.
type fakeCodec struct {
	channels, bitrate int
	err               error
}

func (c *fakeCodec) NewEncoder(channels, bitrate int) (codec.Encoder, error) {
	c.channels, c.bitrate = channels, bitrate
	return nil, c.err
}

func (c *fakeCodec) NewDecoder(int) (codec.Decoder, error) {
	return nil, errors.New("nothing is received")
}

// published remembers.
type published []proto.Description

func (p *published) Publish(d proto.Description) { *p = append(*p, d) }

var to = netip.MustParseAddrPort("192.0.2.7:4713")

func plain() Stream {
	return Stream{
		Format: proto.Format{Encoding: proto.F32, RateHz: 48000, Channels: 2}, SSRC: 7, To: to, PeriodFrames: 64,
		Terms: proto.Terms{Redundancy: proto.Redundancy{Copies: 1, Distance: 2}, SendDelay: true},
	}
}

func TestAPlanIsWhatTheStreamSays(t *testing.T) {
	core := &fakeCore{}
	d := New(Settings{}, Parts{Core: core})
	d.Start(plain())
	want := stream.SendPlan{
		Format: stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 2}, PayloadType: 98, PacketFrames: 64, SSRC: 7, To: to,
		Repeats: stream.Repeats{Copies: 1, DistanceFrames: 128}, SendDelay: true,
	}
	if core.plan != want || !d.Running() || d.Refused() != nil {
		t.Errorf("%+v, want %+v; running %v, refused %v", core.plan, want, d.Running(), d.Refused())
	}
	d.Stop()
	if d.Running() || !slices.Equal(core.calls, []string{"start", "stop"}) {
		t.Errorf("running %v: %q", d.Running(), core.calls)
	}
}

func TestNothingIsSentWithoutChannels(t *testing.T) {
	core := &fakeCore{}
	d, s := New(Settings{}, Parts{Core: core}), plain()
	s.Format.Channels = 0
	d.Start(s)
	if d.Running() || len(core.calls) != 0 {
		t.Errorf("running %v: %q", d.Running(), core.calls)
	}
}

// Why it was refused stays during a pause, and is forgotten at the end.
func TestARefusalLastsUntilTheStreamCanBeSentOrEnds(t *testing.T) {
	refused := errors.New("not reachable")
	core := &fakeCore{err: refused}
	d := New(Settings{}, Parts{Core: core})
	d.Start(plain())
	if d.Running() || d.Refused() != refused || !slices.Equal(core.calls, []string{"start", "stop"}) {
		t.Errorf("running %v, refused %v: %q", d.Running(), d.Refused(), core.calls)
	}
	if d.Pause(); d.Refused() != refused {
		t.Error("forgotten in a pause")
	}
	core.err = nil
	if d.Start(plain()); !d.Running() || d.Refused() != nil {
		t.Errorf("running %v, refused %v", d.Running(), d.Refused())
	}
	core.err = refused
	d.Start(plain())
	if d.Stop(); d.Refused() != nil {
		t.Error("not forgotten at the end")
	}
}

func TestACodecIsAskedForAsManyBitsAsBothEndsWant(t *testing.T) {
	for most, want := range map[int]int{0: 128000, 96000: 96000, 256000: 128000} {
		core, opus := &fakeCore{}, &fakeCodec{}
		d, s := New(Settings{Bitrate: 128000}, Parts{Core: core, Tap: noSound{}, Codec: opus}), plain()
		s.Format.Encoding, s.MaxBitrate = proto.Opus, most
		d.Start(s)
		if opus.bitrate != want || opus.channels != 2 || core.plan.Format.Encoding != stream.Coded || core.plan.Repeats.DistanceFrames != 2*core.plan.PacketFrames {
			t.Errorf("the peer wants %d: %d bit/s, %+v", most, opus.bitrate, core.plan)
		}
		d.Stop()
		opus.err = errors.New("no codec")
		if d.Start(s); d.Running() || d.Refused() != opus.err || core.calls[len(core.calls)-1] != "stop" {
			t.Errorf("running %v, refused %v: %q", d.Running(), d.Refused(), core.calls)
		}
	}
}

func TestAPacketHasThePacketTimeAskedForOrAPeriodAsFarAsItFits(t *testing.T) {
	for _, c := range []struct {
		encoding proto.Encoding
		ptime    time.Duration
		period   int
		want     int
	}{
		{proto.F32, 0, 64, 64},
		{proto.F32, 0, 1024, 128},
		{proto.F32, time.Millisecond, 64, 48},
		{proto.F32, 125 * time.Microsecond, 64, 6},
		{proto.F32, time.Microsecond, 64, 1},
		{proto.F32, 20 * time.Millisecond, 64, 151},
		{proto.Opus, 0, 64, 240},
		{proto.Opus, 10 * time.Millisecond, 64, 480},
	} {
		format := proto.Format{Encoding: c.encoding, RateHz: 48000, Channels: 2}
		if got := PacketFrames(format, c.ptime, c.period); got != c.want {
			t.Errorf("%+v: %d frames", c, got)
		}
	}
}

func TestEachStreamThatBeganIsPublished(t *testing.T) {
	var told published
	core := &fakeCore{}
	d := New(Settings{CNAME: "archibald-guest", OwnOrder: true, MulticastTTL: 8}, Parts{Core: core, Publisher: &told})
	s := plain()
	d.Start(s)
	core.err = errors.New("not reachable")
	d.Start(s)
	core.err = nil
	s.To = netip.MustParseAddrPort("239.69.1.2:5004")
	d.Start(s)
	if len(told) != 2 || told[0].TTL != 0 || told[1].TTL != 8 || told[1].Address != s.To.Addr() || told[1].Port != 5004 || told[1].Name != "archibald-guest" || !told[1].OwnOrder || told[1].SSRC != 7 {
		t.Errorf("%+v", told)
	}
}

func TestAStreamIsSentAsThePartOfItsEndSays(t *testing.T) {
	for _, lock := range []stream.Lock{stream.Unlocked, stream.Leads, stream.Follows} {
		core := &fakeCore{}
		d := New(Settings{}, Parts{Core: core})
		s := plain()
		s.Lock = lock
		if d.Start(s); core.plan.Lock != lock {
			t.Errorf("%v: %+v", lock, core.plan)
		}
	}
}

func TestAStreamIsRefusedForAReasonThatLiesOutsideUntilTheNextStart(t *testing.T) {
	core, reason := &fakeCore{}, errors.New("the graph cannot follow")
	d := New(Settings{}, Parts{Core: core})
	d.Start(plain())
	d.Refuse(reason)
	if d.Running() || d.Refused() != reason || core.calls[len(core.calls)-1] != "stop" {
		t.Errorf("running %v, %v, %q", d.Running(), d.Refused(), core.calls)
	}
	if d.Start(plain()); !d.Running() || d.Refused() != nil {
		t.Errorf("running %v, %v", d.Running(), d.Refused())
	}
}

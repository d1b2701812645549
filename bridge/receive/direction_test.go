package receive

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// fakeCore remembers what it is told, and has what it saw.
type fakeCore struct {
	Core
	calls     []string
	plan      stream.ReceivePlan
	err, rtcp error
	saw       []stream.Observation
}

func (c *fakeCore) StartReceiver(p stream.ReceivePlan) error {
	c.calls, c.plan = append(c.calls, "start"), p
	return c.err
}

func (c *fakeCore) StopReceiver() { c.calls = append(c.calls, "stop") }

func (c *fakeCore) AcceptRTCP(from netip.Addr, ssrc uint32) error {
	c.calls = append(c.calls, fmt.Sprintf("reports of %d from %s", ssrc, from))
	return c.rtcp
}

func (c *fakeCore) SetRatio(float64) { c.calls = append(c.calls, "ratio") }

func (c *fakeCore) SeekTo(int64) { c.calls = append(c.calls, "seek") }

func (c *fakeCore) LookaheadFrames() int { return 12 }

func (c *fakeCore) Observe(buf []stream.Observation) int {
	n := copy(buf, c.saw)
	c.saw = c.saw[n:]
	return n
}

func newDirection(core *fakeCore, told *[]error) *Direction {
	return New(Settings{}, Parts{
		Core: core, Memory: knows{}, Log: slog.New(slog.DiscardHandler), ReportsLost: func(err error) { *told = append(*told, err) },
	})
}

func plain() Stream {
	return Stream{
		Format: proto.Format{Encoding: proto.L24, RateHz: 48000, Channels: 6}, PayloadType: 97, SSRC: 9, From: netip.MustParseAddr("192.0.2.7"),
		Terms: proto.Terms{SendDelay: true, Redundancy: proto.Redundancy{Copies: 2, Distance: 3}}, PeriodFrames: 48, PacketFrames: 24, Peer: "@192.0.2.7",
	}
}

func TestAPlanIsWhatTheStreamSays(t *testing.T) {
	core, told := &fakeCore{}, []error(nil)
	d := newDirection(core, &told)
	core.saw = make([]stream.Observation, 3*len(d.buf)/2) // of the receiver before
	d.Start(plain())
	want := stream.ReceivePlan{
		Format: stream.Format{Encoding: stream.L24, RateHz: 48000, Channels: 6}, GraphRateHz: 48000, PayloadType: 97, SSRC: 9, From: netip.MustParseAddr("192.0.2.7"),
		SendDelay: true, Repeats: stream.Repeats{Copies: 2, DistanceFrames: 144},
	}
	if core.plan != want || !d.Running() || d.Refused() != nil {
		t.Errorf("%+v, want %+v; running %v, refused %v", core.plan, want, d.Running(), d.Refused())
	}
	if len(core.saw) != 0 {
		t.Errorf("%d observations of the receiver before are left", len(core.saw))
	}
}

func TestReportsAreTakenWhereNoSoundIs(t *testing.T) {
	const reports = "reports of 9 from 192.0.2.7"
	core, told := &fakeCore{rtcp: errors.New("no memory")}, []error(nil)
	d := newDirection(core, &told)
	s := plain()
	s.Format.Channels = 0
	if d.Start(s); d.Running() || !slices.Equal(core.calls, []string{reports}) || len(told) != 1 {
		t.Errorf("without channels: running %v, %q, told %v", d.Running(), core.calls, told)
	}
	core.calls, core.err = nil, errors.New("no memory")
	if d.Start(plain()); d.Running() || d.Refused() != core.err || !slices.Equal(core.calls, []string{"start", "stop", reports}) {
		t.Errorf("refused: running %v, %v, %q", d.Running(), d.Refused(), core.calls)
	}
	if d.Pause(); d.Refused() != core.err {
		t.Error("the refusal is forgotten in a pause")
	}
	if d.Stop(); d.Refused() != nil {
		t.Error("the refusal is not forgotten at the end")
	}
}

func TestOnlyAStreamIsSteered(t *testing.T) {
	core, told := &fakeCore{}, []error(nil)
	d := newDirection(core, &told)
	packets := 0
	look := func() { d.Observe(func(stream.Observation) { packets++ }); d.Steer(); d.Measure() }
	packet := stream.Observation{Kind: stream.KindPacket, Frames: 48, TimeNs: 1e9, Media: 4800, SendDelayNs: 3e6}
	core.saw = []stream.Observation{packet}
	if look(); packets != 0 || len(core.calls) != 0 || len(core.saw) != 1 {
		t.Errorf("before: %d packets, %q", packets, core.calls)
	}
	if _, known := d.ArrivalNs(4800); known {
		t.Error("an arrival without a stream is known")
	}
	d.Start(plain())
	core.calls = nil
	core.saw = []stream.Observation{packet, {Kind: stream.KindCycle, Frames: 64, TimeNs: 1e9, Ratio: 1}, packet}
	if look(); packets != 2 || !slices.Equal(core.calls, []string{"ratio"}) || !slices.Equal(d.delays.latestNs, []int64{0, 3e6}) {
		t.Errorf("%d packets, %q, delays %v", packets, core.calls, d.delays.latestNs)
	}
	d.Stop()
	if d.Clock() != (clock.Status{}) {
		t.Errorf("after: %+v", d.Clock())
	}
}

// What a peer was like is known when it comes again.
func TestWhatWasLearnedIsKeptForThePeerUnlessALatencyIsAsked(t *testing.T) {
	for _, wanted := range []Latency{{}, {Frames: 500}} {
		memory := knows{"@192.0.2.7": 16}
		d := New(Settings{Latency: wanted}, Parts{Core: &fakeCore{}, Memory: memory, Log: slog.New(slog.DiscardHandler)})
		d.Start(plain())
		d.clock = clock.Status{Playing: true, JitterFrames: 48}
		d.Stop()
		if want := map[bool]int{true: 16, false: 48}[wanted.Asked()]; memory["@192.0.2.7"] != want {
			t.Errorf("%+v wanted: %d frames are kept, want %d", wanted, memory["@192.0.2.7"], want)
		}
	}
}

func TestALockedStreamIsPlannedAndIsNeitherSteeredNorMutedNorLearnedFrom(t *testing.T) {
	for lock, want := range map[stream.Lock]stream.ReceivePlan{
		stream.Leads:   {Lock: stream.Leads, PeriodFrames: 48, AnswerPeriods: 2, MostWait: 250 * time.Microsecond},
		stream.Follows: {Lock: stream.Follows, PeriodFrames: 48},
	} {
		memory := knows{"@192.0.2.7": 16}
		core := &fakeCore{}
		d := New(Settings{}, Parts{Core: core, Memory: memory, Log: slog.New(slog.DiscardHandler)})
		s := plain()
		s.Lock, s.AnswerPeriods, s.Terms.Redundancy = lock, 2, proto.Redundancy{}
		d.Start(s)
		got := core.plan
		if got.Lock != want.Lock || got.PeriodFrames != want.PeriodFrames || got.AnswerPeriods != want.AnswerPeriods || got.MostWait != want.MostWait {
			t.Errorf("%+v, want %+v", got, want)
		}
		core.calls = nil
		core.saw = []stream.Observation{{Kind: stream.KindPacket, Frames: 48, TimeNs: 1e9, Media: 4800}}
		d.Observe(func(stream.Observation) {})
		d.Steer()
		d.Mute()
		d.Measure()
		if len(core.calls) != 0 {
			t.Errorf("the core is told %q", core.calls)
		}
		if c := d.Clock(); !c.Playing || !c.RateLocked || c.RatioPPM != 0 || c.TargetFrames != 0 {
			t.Errorf("%+v", c)
		}
		d.clock.JitterFrames = 48
		d.Stop()
		if memory["@192.0.2.7"] != 16 {
			t.Errorf("learned %v", memory)
		}
	}
}

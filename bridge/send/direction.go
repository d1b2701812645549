package send

import (
	"net/netip"
	"time"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// Core is what this direction asks of the real-time core.
type Core interface {
	// StartSender replaces the running plan, if any.
	StartSender(stream.SendPlan) error
	StopSender()
}

// Settings are what the user wants of the stream sent.
type Settings struct {
	Ptime   time.Duration // packet time; 0: see PacketFrames
	Bitrate int           // of a coded stream, of all channels together, in bit/s
	// The rest is said of a stream that is published.
	CNAME        string
	OwnOrder     bool // its channels are not in the usual order
	MulticastTTL int
}

// Parts are what the direction is made of.
type Parts struct {
	Core  Core
	Tap   stream.SendTap // where Codec takes the sound of a coded stream
	Codec codec.Codec
	NowNs func() int64 // CLOCK_MONOTONIC
	// Publisher is told of each stream that began; nil: nobody is.
	Publisher Publisher
}

// Stream is what is to be sent, where, and of whose graph.
type Stream struct {
	Format       proto.Format // 0 channels: nothing
	SSRC         uint32
	To           netip.AddrPort
	Source       netip.Addr // ours that it leaves from; the zero Addr: as the routes say
	PeriodFrames int        // of our graph
	Terms        proto.Terms
	Lock         stream.Lock
	MaxBitrate   int // that the peer wants of a coded stream, in bit/s; 0: it did not say
}

// Direction sends one stream at a time. It is for one goroutine.
type Direction struct {
	settings Settings
	parts    Parts
	encoding *codec.Worker
	running  bool // the core took the plan
	refused  error
}

// New returns a direction that sends nothing.
func New(settings Settings, parts Parts) *Direction {
	return &Direction{settings: settings, parts: parts}
}

// Start begins to send a stream, in place of the one before.
func (d *Direction) Start(s Stream) {
	if s.Format.Channels == 0 {
		return
	}
	plan := d.plan(s)
	d.encoding.Stop()
	d.encoding = nil
	err := d.parts.Core.StartSender(plan)
	if err == nil && plan.Format.Encoding == stream.Coded {
		err = d.encode(plan, s.MaxBitrate)
	}
	d.running, d.refused = err == nil, err
	if err != nil {
		d.parts.Core.StopSender()
		return
	}
	d.publish(plan, s.Format.Encoding)
}

func (d *Direction) plan(s Stream) stream.SendPlan {
	plan := stream.SendPlan{
		Format: codec.FormatOf(s.Format), PayloadType: s.Format.Encoding.PayloadType(), SSRC: s.SSRC, To: s.To, Source: s.Source,
		PacketFrames: d.PacketFrames(s.Format, s.PeriodFrames), SendDelay: s.Terms.SendDelay, Lock: s.Lock,
	}
	plan.Repeats = codec.RepeatsOf(s.Terms.Redundancy, s.Format, s.PeriodFrames, plan.PacketFrames)
	return plan
}

// encode begins to make the packets of a coded stream.
func (d *Direction) encode(plan stream.SendPlan, most int) error {
	bitrate := d.settings.Bitrate
	if most > 0 {
		bitrate = min(bitrate, most)
	}
	encoder, err := d.parts.Codec.NewEncoder(plan.Format.Channels, bitrate)
	if err != nil {
		return err
	}
	d.encoding = codec.Start(codec.NewSender(d.parts.Tap, encoder, plan.Format.Channels, plan.PacketFrames, d.parts.NowNs).Work)
	return nil
}

// Refuse takes the stream from the core, which cannot be sent for a reason that lies outside.
func (d *Direction) Refuse(err error) {
	d.Pause()
	d.refused = err
}

// Pause takes the stream from the core; why one was refused stays.
func (d *Direction) Pause() {
	d.running = false
	d.encoding.Stop()
	d.encoding = nil
	d.parts.Core.StopSender()
}

// Stop ends the stream.
func (d *Direction) Stop() {
	d.Pause()
	d.refused = nil
}

// Running says whether a stream is sent.
func (d *Direction) Running() bool { return d.running }

// Refused is why the last stream cannot be sent; nil: it can, or there was none.
func (d *Direction) Refused() error { return d.refused }

// PacketFrames is how many frames each packet of a stream holds.
func (d *Direction) PacketFrames(format proto.Format, periodFrames int) int {
	return PacketFrames(format, d.settings.Ptime, periodFrames)
}

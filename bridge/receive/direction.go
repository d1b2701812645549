package receive

import (
	"log/slog"
	"net/netip"
	"time"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// Core is what this direction asks of the real-time core.
type Core interface {
	// StartReceiver replaces the running plan, if any.
	StartReceiver(stream.ReceivePlan) error
	// StopReceiver ends RTCP, too: the kernel then drops all that comes.
	StopReceiver()
	// AcceptRTCP lets the peer's RTCP in while there is no receiver.
	AcceptRTCP(from netip.Addr, ssrc uint32) error
	// Look lets a sample of what the kernel drops for the running receiver in, so
	// that it is counted by its reason, or ends that.
	Look(on bool) error

	// SetRatio sets how many stream frames the receiver consumes per graph
	// frame, 0.95 to 1.05 times the quotient of both rates. Between equal rates exactly 1
	// copies bit for bit, after a glide of at most 50 ppm to a whole frame.
	SetRatio(ratio float64)
	// SeekTo makes the receiver play stream time media+offset at local media
	// time media, from the next cycle on, cross-faded when already playing. Where the
	// stream has another rate than the graph, media counts in frames of the stream there,
	// rounded down.
	SeekTo(offset int64)
	// Mute stops playout: silence, no position, packets still observed.
	Mute()

	// Observe moves the oldest observations into buf and returns how many.
	Observe(buf []stream.Observation) int
	// LookaheadFrames is how far the resampler of the newest receiver reads past its
	// position, in frames of the stream.
	LookaheadFrames() int
}

// Memory keeps the jitter margin, in frames, of each peer. 0 is not known. One that is not
// proven was not looked at in calm time: it is not kept for long.
type Memory interface {
	Jitter(peer string) int
	SetJitter(peer string, frames int, proven bool) error
}

// Settings are what the user wants of the stream received.
type Settings struct {
	Latency     Latency
	GapsPerHour int  // that do not raise a latency that is found by measuring; 0: each one does
	FreeClock   bool // resample even when both graphs look as if they shared a clock
}

// Parts are what the direction is made of.
type Parts struct {
	Core   Core
	Tap    stream.ReceiveTap // where Codec gives the sound of a coded stream
	Codec  codec.Codec
	NowNs  func() int64 // CLOCK_MONOTONIC
	Memory Memory
	Log    *slog.Logger
	// ReportsLost is told why the peer's reports cannot be taken.
	ReportsLost func(error)
}

// Stream is what comes, and from whom.
type Stream struct {
	Format      proto.Format // 0 channels: nothing but reports
	GraphRateHz int          // of our graph; 0: as the stream
	PayloadType uint8
	SSRC        uint32     // 0: the first one seen
	From        netip.Addr // the zero Addr: that of the first packet
	Terms       proto.Terms
	// PeriodFrames and PacketFrames are what the peer says of itself; 0: nothing.
	PeriodFrames, PacketFrames int
	Peer                       string // that Memory knows it by
	// Lock is the part of this end where one of the two leads. AnswerPeriods is a leader's.
	// PeriodFrames is then the leader's period.
	Lock          stream.Lock
	AnswerPeriods int
}

// longestWait is how long a leader's playout waits for an answer at the most: the audio
// server's other clients need the rest of the period.
const longestWait = 300 * time.Microsecond

// mostWait is that at a period: a quarter of it where that is less.
func mostWait(periodFrames, rateHz int) time.Duration {
	period := time.Duration(periodFrames) * time.Second / time.Duration(rateHz)
	return min(period/4, longestWait)
}

// graphRateHz is also what a follower's graph is going to have.
func (s Stream) graphRateHz() int {
	if s.GraphRateHz == 0 || s.Lock != stream.Unlocked {
		return s.Format.RateHz
	}
	return s.GraphRateHz
}

func (s Stream) plan() stream.ReceivePlan {
	plan := stream.ReceivePlan{
		Format: codec.FormatOf(s.Format), GraphRateHz: s.graphRateHz(), PayloadType: s.PayloadType, SSRC: s.SSRC, From: s.From, SendDelay: s.Terms.SendDelay,
		Repeats: codec.RepeatsOf(s.Terms.Redundancy, s.Format, s.PeriodFrames, s.PacketFrames),
		Lock:    s.Lock,
	}
	if s.Lock != stream.Unlocked {
		plan.PeriodFrames = s.PeriodFrames
	}
	if s.Lock == stream.Leads {
		plan.AnswerPeriods, plan.MostWait = s.AnswerPeriods, mostWait(s.PeriodFrames, s.Format.RateHz)
	}
	return plan
}

// Direction receives one stream at a time. It is for one goroutine.
type Direction struct {
	settings Settings
	parts    Parts
	stream   Stream
	decoding *codec.Worker
	running  bool // the core took the plan
	refused  error
	servo    *clock.Servo
	clock    clock.Status // of the last Measure
	changed  string       // why the latency was, last
	delays   sendDelays
	buf      []stream.Observation
}

// New returns a direction that receives nothing.
func New(settings Settings, parts Parts) *Direction {
	return &Direction{settings: settings, parts: parts, buf: make([]stream.Observation, 512)}
}

// Start begins to receive a stream, in place of the one before.
func (d *Direction) Start(s Stream) {
	d.stream = s
	if s.Format.Channels == 0 {
		d.AcceptReports(s)
		return
	}
	plan, core := s.plan(), d.parts.Core
	d.decoding.Stop()
	d.decoding = nil
	err := core.StartReceiver(plan)
	if err == nil && plan.Format.Encoding == stream.Coded {
		err = d.decode()
	}
	d.running, d.refused = err == nil, err
	if err != nil {
		d.Refuse(s, err)
		return
	}
	for core.Observe(d.buf) == len(d.buf) { // what the receiver before it left behind
	}
	d.servo, d.changed = clock.NewServo(d.servoConfig(plan.Repeats)), ""
}

// Refuse takes the reports of a stream that cannot be received, for that reason.
func (d *Direction) Refuse(s Stream, err error) {
	d.stream, d.running, d.refused = s, false, err
	d.decoding.Stop()
	d.decoding = nil
	d.parts.Core.StopReceiver()
	d.servo, d.clock = nil, clock.Status{}
	d.AcceptReports(s)
}

// AcceptReports takes the peer's reports where none of its sound is taken.
func (d *Direction) AcceptReports(s Stream) {
	if err := d.parts.Core.AcceptRTCP(s.From, s.SSRC); err != nil {
		d.parts.ReportsLost(err)
	}
}

// decode begins to read the packets of a coded stream.
func (d *Direction) decode() error {
	receiver, err := codec.NewReceiver(d.parts.Tap, d.parts.Codec, d.stream.Format.Channels, d.parts.NowNs)
	if err != nil {
		return err
	}
	d.decoding = codec.Start(receiver.Work)
	return nil
}

// Pause takes the stream from the core; why one was refused stays.
func (d *Direction) Pause() {
	d.running = false
	d.remember()
	d.decoding.Stop()
	d.decoding = nil
	d.parts.Core.StopReceiver()
	d.servo, d.clock = nil, clock.Status{}
}

// Stop ends the stream.
func (d *Direction) Stop() {
	d.Pause()
	d.refused = nil
}

// Running says whether a stream is received.
func (d *Direction) Running() bool { return d.running }

// Refused is why the last stream cannot be received; nil: it can, or there was none.
func (d *Direction) Refused() error { return d.refused }

// Look finds out whether something else comes than what was agreed while that does not.
func (d *Direction) Look(on bool) {
	if err := d.parts.Core.Look(on); err != nil {
		d.parts.Log.Debug("cannot look at what is dropped", "reason", err)
	}
}

// Mute plays silence until Steer finds a position again. What is locked needs none: without
// packets it is silent soon.
func (d *Direction) Mute() {
	if !d.locked() {
		d.parts.Core.Mute()
	}
}

// locked says that the position needs no steering: each cycle has its packets.
func (d *Direction) locked() bool { return d.stream.Lock != stream.Unlocked }

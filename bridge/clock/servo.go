package clock

import (
	"math"

	"archibald-bridge/bridge/stream"
)

// Config is what the servo must know. All frames are of the stream.
type Config struct {
	RateHz int // of the stream
	// GraphRateHz is the rate of the graph that plays it; 0: RateHz.
	GraphRateHz int
	// LatencyFrames is the buffer target; 0 chooses one from the jitter measured, and
	// holds it.
	LatencyFrames int
	// JitterFrames is the jitter margin that an earlier session with this peer learned;
	// 0: none.
	JitterFrames int
	// GapsPerHour is the budget of gaps that a larger latency could avoid; more than that
	// raise a latency that is chosen. 0: each gap does.
	GapsPerHour int
	// ExtraFrames is what the target grows by beyond period, resampler and jitter margin,
	// so that a repeat sent some periods later still comes in time.
	ExtraFrames int
	// PeriodFrames is the period that the sender says it has; 0: not said.
	PeriodFrames int
	// DelayByPacket says that a packet's SendDelayNs counts from the time of its own
	// first frame, as that of Opus does: each packet is its own group.
	DelayByPacket bool
	// LookaheadFrames is what the resampler reads past its position.
	LookaheadFrames int
	// Free keeps resampling even when the clocks look like one.
	Free bool
}

// Decision is what the core shall do.
type Decision struct {
	Ratio  float64 // stream frames per graph frame
	Seek   bool
	Offset int64 // for Seek: stream position minus local media time, in frames of the stream
}

// playoutState is where playout is on its way to the target.
type playoutState int

const (
	waiting     playoutState = iota // no packet has come
	acquisition                     // the jitter is being learned; silence, or the sound as it was
	seeking                         // a seek was decided, and no cycle shows it yet
	placed                          // playout follows the sender at the target's distance
)

// Servo keeps the playout position a constant distance behind the sender's clock. It tracks
// two clocks: packet arrivals and playout cycles. The quotient of their slopes is the ratio.
// Their distance is the delay; its difference from the target is the phase, which a slow
// loop works off. The servo has no clock of its own: time is in the observations.
type Servo struct {
	cfg     Config
	nominal float64 // the ratio by both nominal rates
	arrival tracker // stream frames, by the arrival of each packet group
	cycle   tracker // local media frames, by the start of each cycle
	groups  packetGroups
	target  target
	pdv     recentPDV

	state     playoutState
	firstNs   int64              // the first packet
	startedNs int64              // the first seek
	movedNs   int64              // that, or the last discontinuity: the phase is new since then
	last      stream.Observation // the last cycle
	cycles    recentCycles
	gap       bool  // a packet was too late since the last Decide
	ledNs     int64 // until when the margin was led, by the cycles
	seekNs    int64 // when the seek was decided, by the cycles
	offset    int64 // and what it was

	pending   pending
	phase     float64 // frames of delay beyond the target, averaged
	corrected float64 // the phase loop's part of the ratio
	rate      rateLock
}

// pending is what the trackers found that Decide has not seen yet.
type pending struct {
	step   bool // a clock stepped: playout is not where it should be
	resync bool // the same behind a discontinuity, by little
}

func (p *pending) note(v verdict) {
	p.step = p.step || v == offsetStep
	p.resync = p.resync || v == resynchronised
}

// NewServo returns a servo that has seen nothing.
func NewServo(cfg Config) *Servo {
	if cfg.GraphRateHz == 0 {
		cfg.GraphRateHz = cfg.RateHz
	}
	return &Servo{
		cfg: cfg, nominal: float64(cfg.RateHz) / float64(cfg.GraphRateHz),
		arrival: newTracker(cfg.RateHz), cycle: newTracker(cfg.GraphRateHz),
		groups: newPacketGroups(cfg.PeriodFrames, cfg.DelayByPacket), target: newTarget(cfg), rate: newRateLock(),
	}
}

// Observe takes the next observation.
func (s *Servo) Observe(o stream.Observation) {
	switch o.Kind {
	case stream.KindPacket:
		s.observePacket(o)
	case stream.KindCycle:
		s.observeCycle(o)
	}
}

func (s *Servo) observePacket(o stream.Observation) {
	s.observeLate(o)
	group, ok := s.groups.add(o, s.arrival.nominalNs)
	if !ok {
		// It tells nothing of the clock, and all the same of what the margin must cover.
		if s.state == placed {
			s.target.observe(s.pdvFrames(o, s.arrival.residualNs(o.Media, o.TimeNs-max(0, o.SendDelayNs))), o.TimeNs)
		}
		return
	}
	if group.discontinuity {
		s.target.lostTime(o.TimeNs)
	}
	// The tracker sees packets as if each had left when its cycle began: how busy the
	// sender's graph is must not move the envelope.
	sendDelayNs := max(0, o.SendDelayNs)
	pdvNs, v := s.arrival.add(group.frame, o.TimeNs-sendDelayNs, group.discontinuity)
	switch v {
	case offsetStep:
		s.target.lostTime(o.TimeNs)
	case reset:
		s.target.lostTime(o.TimeNs)
		s.firstNs, s.state = o.TimeNs, acquisition
		s.rate.reset()
		s.target.bypass = false
		return
	case outlier:
		return
	}
	s.pending.note(v)
	s.pdv.add(pdvNs + float64(sendDelayNs+max(0, o.WaitNs)))
	pdvFrames := s.pdvFrames(o, pdvNs)
	// What is decoded is given up at a time of its own, whenever cycles begin.
	if s.cfg.DelayByPacket && s.state == placed && pdvFrames > s.delay()-float64(s.target.needed()) {
		s.gap = true
		s.target.late(pdvFrames, o.TimeNs)
	}
	s.target.observe(pdvFrames, o.TimeNs)
}

// pdvFrames is the delay variation of a packet in frames: its residual, what the sender took
// to send it, and what it waited here.
func (s *Servo) pdvFrames(o stream.Observation, residualNs float64) float64 {
	return (residualNs + float64(max(0, o.SendDelayNs)+max(0, o.WaitNs))) / s.arrival.nsPerFrame
}

// observeLate looks whether a packet came when the cycle that needed it had begun without it.
// That is a gap, which a packet that is only later than the margin need not be: it depends on
// where in the sender's period the receiver's cycle begins, and on how late that was itself.
func (s *Servo) observeLate(o stream.Observation) {
	if s.state != placed || s.cfg.DelayByPacket {
		return
	}
	needed, ok := s.cycles.neededBy(o.TimeNs + max(0, o.WaitNs))
	short := needed - o.Media // may wrap
	if !ok || short <= 0 {
		return
	}
	s.gap = true
	s.target.late(float64(short)+s.delay()-float64(s.target.needed()), o.TimeNs)
}

func (s *Servo) observeCycle(o stream.Observation) {
	// Not written as its opposite, which NaN would pass.
	if !(o.PositionFraction >= 0 && o.PositionFraction <= 1) {
		return
	}
	discontinuity := s.cycleSeen() && o.Media != s.last.Media+int64(s.last.Frames)
	_, v := s.cycle.add(o.Media, o.TimeNs, discontinuity)
	if discontinuity || v == offsetStep {
		s.target.lostTime(o.TimeNs)
	}
	if v == outlier { // where such a cycle is in the stream is not known
		return
	}
	s.pending.note(v)
	s.target.period(s.streamFrames(int(o.Frames)), s.arrival.nominalNs)
	s.last = o
	s.cycles.add(o)
	if !o.Playing {
		return
	}
	if diff := o.Position - s.played(o.Media) - s.offset; s.state == seeking && -seekTolerance <= diff && diff <= seekTolerance {
		s.state = placed
		s.phase = s.phaseNow()
	}
	if s.state == placed {
		s.phase += (s.phaseNow() - s.phase) * math.Min(1, float64(o.Frames)/float64(s.cfg.GraphRateHz)/phaseAverage)
	}
}

// streamFrames is how many frames of the stream last as long as frames of the graph, rounded
// up.
func (s *Servo) streamFrames(frames int) int { return -int(s.played(-int64(frames))) }

// played is how much of the stream is played in a local media time, by the nominal rates,
// rounded down as the core does it.
func (s *Servo) played(media int64) int64 {
	stream, graph := int64(s.cfg.RateHz), int64(s.cfg.GraphRateHz)
	seconds := floorTo(media, graph) / graph
	return seconds*stream + (media-seconds*graph)*stream/graph
}

// cycleSeen says that there was a cycle.
func (s *Servo) cycleSeen() bool { return s.last.Kind == stream.KindCycle }

// sender is the stream position that the sender's clock shows at the start of the last
// cycle, relative to base.
func (s *Servo) sender(base int64) float64 {
	relative := s.cycle.timeOf(s.last.Media) + float64(s.cycle.originNs-s.arrival.originNs)
	return s.arrival.frameAt(relative, base)
}

// delay is how far playout is behind the sender, in frames.
func (s *Servo) delay() float64 {
	return s.sender(s.last.Position) - s.last.PositionFraction
}

// phaseNow is the delay beyond the target at the last cycle, in frames.
func (s *Servo) phaseNow() float64 { return s.delay() - s.target.frames() }

// Decide returns what to do after the observations so far.
func (s *Servo) Decide() Decision {
	switch s.state {
	case waiting:
		return Decision{Ratio: s.nominal}
	case acquisition:
		return s.acquire()
	case seeking:
		if s.last.TimeNs-s.seekNs > int64(seekTimeout) {
			return s.seek()
		}
		return Decision{Ratio: s.feedForward()}
	default:
		return s.follow()
	}
}

// acquire waits until the jitter is known, and then places playout.
func (s *Servo) acquire() Decision {
	wait := acquisitionUnknown
	if s.target.known() {
		wait = acquisitionKnown
	}
	if !s.cycleSeen() || s.last.TimeNs-s.firstNs < int64(wait) {
		return Decision{Ratio: s.nominal}
	}
	s.target.hold(s.last.TimeNs)
	s.pending = pending{}
	s.startedNs, s.movedNs = s.last.TimeNs, s.last.TimeNs
	return s.seek()
}

// follow keeps placed playout at the target.
func (s *Servo) follow() Decision {
	gap := s.gap
	s.gap = false
	s.target.weigh(s.last.TimeNs)
	leading := s.target.lead(float64(s.last.TimeNs-s.ledNs) / s.arrival.nominalNs)
	s.ledNs = s.last.TimeNs
	if s.pending.step {
		s.pending.step = false
		s.phase = s.phaseNow()
		// Until the phase loop has worked it off, every packet may be late. A step that
		// the jitter margin swallows is not worth a cut.
		if math.Abs(s.phase) > s.target.marginFrames()*cutShare {
			return s.seek()
		}
	}
	if !s.last.Playing || math.Abs(s.phase) > math.Max(leastReseek, reseekShare*s.target.frames()) {
		s.rate.suspend()
		s.target.bypass = false
		return s.seek()
	}
	misplaced := false
	if s.pending.resync {
		s.pending.resync, s.movedNs = false, s.last.TimeNs
		s.phase = s.phaseNow()
		// Clocks that are one, or may be, do not work it off: with lost time every few
		// seconds they would never be found.
		misplaced = s.rate.state != tracking && math.Abs(s.phase) > lockMargin
	}
	misplaced = s.relate(misplaced)
	if misplaced || gap && s.target.behind() || s.target.moved() && (s.rate.locked() || s.target.periodMoved()) {
		return s.seek()
	}
	s.target.settle() // the ratio leads there, unheard
	ratio := s.feedForward() + s.nominal*leading
	if !s.rate.locked() {
		ratio += s.nominal * s.correction()
	}
	return Decision{Ratio: ratio}
}

// relate lets the rate lock see the clocks. It says whether playout must be placed again. A
// stream of another rate is resampled, whatever the clocks.
func (s *Servo) relate(misplaced bool) bool {
	if s.cfg.Free || s.cfg.GraphRateHz != s.cfg.RateHz {
		return misplaced
	}
	misplaced = s.rate.update(relation{
		nowNs:        s.last.TimeNs,
		early:        s.last.TimeNs-s.startedNs < int64(earlyFor),
		drift:        math.Abs(s.cycle.nsPerFrame/s.arrival.nsPerFrame - 1),
		averageDrift: math.Abs(s.cycle.averageNsPerFrame/s.arrival.averageNsPerFrame - 1),
		phase:        s.phase,
		misplaced:    misplaced,
	})
	s.target.bypass = s.rate.state == bypass
	return misplaced
}

// feedForward is the ratio of the two clocks: stream frames per local frame.
func (s *Servo) feedForward() float64 {
	if s.rate.locked() {
		return 1
	}
	return s.cycle.rateNs() / s.arrival.rateNs()
}

// correction is the phase loop's part of the ratio.
func (s *Servo) correction() float64 {
	phase := math.Copysign(math.Max(0, math.Abs(s.phase)-deadBand), s.phase)
	sinceSeconds := float64(s.last.TimeNs-s.movedNs) * 1e-9
	seconds := math.Min(math.Max(phaseTimeShare*sinceSeconds, leastPhaseTime), phaseTime)
	wanted := math.Min(math.Max(phase/(seconds*float64(s.cfg.RateHz)), -phaseLimit), phaseLimit)
	s.corrected += math.Min(math.Max(wanted-s.corrected, -phaseSlew), phaseSlew)
	return s.corrected
}

// seek decides to play at the target's distance behind the sender, at a whole frame.
func (s *Servo) seek() Decision {
	base := s.arrival.frame // near by: what is added to it is small and exact
	s.target.place()
	s.corrected = 0
	s.offset = base - s.played(s.last.Media) + int64(math.Round(s.sender(base)-s.target.frames()))
	s.state, s.seekNs, s.ledNs = seeking, s.last.TimeNs, s.last.TimeNs
	s.gap = false
	return Decision{Ratio: s.feedForward(), Seek: true, Offset: s.offset}
}

// ArrivalNs is when, by the arrival envelope, the packet that begins with an RTP timestamp
// came or will come, on CLOCK_MONOTONIC, without its delay variation. ok is false before the
// first packet.
func (s *Servo) ArrivalNs(timestamp uint32) (ns int64, ok bool) {
	if !s.arrival.started {
		return 0, false
	}
	frame := s.arrival.frame + int64(int32(timestamp-uint32(s.arrival.frame)))
	return s.arrival.originNs + int64(s.arrival.timeOf(frame)), true
}

// Status is what the servo knows, for display and for published latencies.
type Status struct {
	Playing      bool
	RateLocked   bool    // the clocks are one: no resampling
	DelayFrames  float64 // of playout behind the sender
	TargetFrames float64
	LeastFrames  int       // what period and resampler need: no target is below; 0: not known yet
	JitterFrames int       // the jitter margin for the next session with this peer
	JitterProven bool      // it was looked at in calm time
	DriftPPM     float64   // of the sender's clock against the local graph's
	RatioPPM     float64   // resampling in force beyond the nominal rates; 0 exactly: none
	PDVUs        Quantiles // packet delay variation of the newest packet groups, recentGroups of them
}

// Status returns the present state.
func (s *Servo) Status() Status {
	st := Status{
		RateLocked: s.rate.locked(), TargetFrames: s.target.frames(), LeastFrames: s.target.least(),
		JitterFrames: s.target.nextMargin(), JitterProven: s.target.reviewed, PDVUs: s.pdv.quantiles(),
	}
	if (s.state == seeking || s.state == placed) && s.last.Playing {
		st.Playing = true
		st.DelayFrames = s.delay()
		st.RatioPPM = (s.last.Ratio/s.nominal - 1) * 1e6
		st.DriftPPM = (s.cycle.nsPerFrame/s.arrival.nsPerFrame/s.nominal - 1) * 1e6
	}
	return st
}

// MarginChanges returns how the jitter margin was changed since it was called last.
func (s *Servo) MarginChanges() []MarginChange {
	changes := s.target.changes
	s.target.changes = nil
	return changes
}

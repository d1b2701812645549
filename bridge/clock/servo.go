package clock

import (
	"math"
	"time"

	"archibald-bridge/bridge/stream"
)

const (
	maxDrift = 0.002 // of an audio clock against CLOCK_MONOTONIC

	learnFirst = 500 * time.Millisecond // before the first sound, when the jitter is unknown
	learnAgain = 100 * time.Millisecond // when it is known

	phaseSeconds   = 4.0    // time constant in which a phase error is worked off
	phaseShare     = 0.25   // of the time since the first sound or a seam, while that is shorter,
	phaseLeast     = 1.0    // but no less: the first seek goes by a young line, and a seam by a few cycles
	phaseAverage   = 0.25   // seconds over which the phase error is averaged
	phaseLimit     = 500e-6 // largest ratio change for it: under 1 cent
	phaseSlew      = 5e-6   // largest change of that at a time: 0.4 cents a second
	deadBand       = 0.05   // frames of phase error that are none
	reseekFraction = 0.5    // of the target: a larger phase error is cut, not worked off
	leastReseek    = 96     // frames
	stepShare      = 0.25   // of the allowance for late packets: a larger step is cut

	equalDrift   = 2e-6             // two clocks nearer than this may be the same one,
	sameDrift    = 0.3e-6           // and nearer than this they are
	equalAfter   = 4 * time.Second  // seen to be so for so long
	mostPatience = time.Hour        // it doubles each time that it proves wrong
	equalMargin  = 2.0              // frames of phase within which equal clocks are found
	wanderMargin = 3.0              // and which they may wander from then on
	youngFor     = 30 * time.Second // of sound: what is found then may lower the target
	equalLater   = time.Minute      // the least patience after that
	replaceAgain = time.Minute      // equal clocks that need a new place more often than this drift: by 1 ppm or more
	seekAgain    = time.Second      // a seek that no cycle has shown for so long is decided anew
)

// Config is what the servo must know. All frames are at RateHz.
type Config struct {
	RateHz int
	// LatencyFrames is the buffer target; 0 chooses and holds one from the
	// jitter measured.
	LatencyFrames int
	// JitterFrames is what an earlier session with this peer learned; 0: nothing.
	JitterFrames int
	// ExtraFrames is what the target grows by beyond period, resampler and
	// allowance, so that a repeat sent some periods later still comes in time.
	ExtraFrames int
	// PeriodFrames is the period that the sender says it has; 0: not said.
	PeriodFrames int
	// DelayByPacket says that a packet's SendDelayNs counts from the time of its own first frame,
	// as Opus's does: each tells for itself.
	DelayByPacket bool
	// LookaheadFrames is what the resampler reads past its position.
	LookaheadFrames int
	// Free keeps resampling even when the clocks look equal.
	Free bool
}

// Decision is what the core shall do.
type Decision struct {
	Ratio  float64 // stream frames per graph frame
	Seek   bool
	Offset int64 // for Seek: stream position minus local media time, in frames
}

// Servo keeps the playout position a constant distance behind the sender's
// clock. It holds two lines, of packet arrivals and of playout cycles: their
// slopes give the ratio directly, their distance the phase, which a slow loop
// works off. It has no clock of its own: time is in the observations.
type Servo struct {
	cfg     Config
	arrival track // stream frames, by arrival of each burst
	cycle   track // local media frames, by start of cycle
	bursts  burstFinder
	target  target
	late    spread

	stepped   bool  // a line was shifted: playout is not where it should be
	joined    bool  // the same after a seam, by little
	firstNs   int64 // first packet
	last      stream.Observation
	haveLast  bool
	seeking   bool  // a seek was decided and no cycle shows it yet
	seekNs    int64 // when, by the cycles
	offset    int64
	phase     float64 // frames of delay beyond the target, averaged
	corrected float64 // the slow loop's part of the ratio
	started   bool
	startedNs int64
	movedNs   int64 // start, or the last seam that moved a line: the phase is known, and new
	misplaced bool  // equal clocks, but not where playout should be

	equal         bool
	equalSince    int64 // TimeNs, 0: not
	replacedNs    int64 // when equal clocks were last given a new place, 0: never
	equalPatience time.Duration
}

// NewServo returns a servo that has seen nothing.
func NewServo(cfg Config) *Servo {
	return &Servo{
		cfg: cfg, arrival: newTrack(cfg.RateHz), cycle: newTrack(cfg.RateHz),
		bursts: newBurstFinder(cfg.PeriodFrames, cfg.DelayByPacket), target: newTarget(cfg), equalPatience: equalAfter,
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
	burst, ok := s.bursts.add(o, s.arrival.nominalNs)
	if !ok {
		return
	}
	// The line is of the packets as if each had left when its cycle began: how
	// busy the sender's graph is must not move it.
	left := max(0, o.SendDelayNs)
	lateNs, v := s.arrival.add(burst.frame, o.TimeNs-left, burst.seam)
	switch v {
	case begun: // the first packet, or the sender's timestamps began anew
		s.firstNs = o.TimeNs
		s.started, s.equal, s.equalSince, s.target.copying = false, false, 0, false
		return
	case strayed:
		return
	case stepped:
		s.stepped = true
	case joined:
		s.joined = true
	}
	lateNs += float64(left + max(0, o.WaitNs))
	s.late.add(lateNs)
	s.target.observe(lateNs/s.arrival.nsPerFrame, o.TimeNs)
}

func (s *Servo) observeCycle(o stream.Observation) {
	// Not written as its opposite, which NaN would pass.
	if !(o.PositionFraction >= 0 && o.PositionFraction <= 1) {
		return
	}
	seam := s.haveLast && o.Media != s.last.Media+int64(s.last.Frames)
	switch _, v := s.cycle.add(o.Media, o.TimeNs, seam); v {
	case strayed: // where it is in the stream is known by the line
		return
	case stepped:
		s.stepped = true
	case joined:
		s.joined = true
	}
	s.target.period(int(o.Frames))
	s.last, s.haveLast = o, true
	if diff := o.Position - o.Media - s.offset; s.seeking && o.Playing && -2 <= diff && diff <= 2 {
		s.seeking = false
		s.phase = s.delay() - s.target.frames()
	}
	if o.Playing && !s.seeking && s.arrival.started {
		e := s.delay() - s.target.frames()
		s.phase += (e - s.phase) * math.Min(1, float64(o.Frames)/float64(s.cfg.RateHz)/phaseAverage)
	}
}

// sender is the stream position that the sender's clock shows at the start of
// the last cycle, relative to base.
func (s *Servo) sender(base int64) float64 {
	relative := s.cycle.timeOf(s.last.Media) + float64(s.cycle.originNs-s.arrival.originNs)
	return s.arrival.frameAt(relative, base)
}

// delay is how far playout is behind the sender, in frames.
func (s *Servo) delay() float64 {
	return s.sender(s.last.Position) - s.last.PositionFraction
}

// Decide returns what to do after the observations so far.
func (s *Servo) Decide() Decision {
	d := Decision{Ratio: 1}
	if !s.arrival.started || !s.haveLast {
		return d
	}
	if !s.started {
		learn := learnFirst
		if s.target.known() {
			learn = learnAgain
		}
		if s.last.TimeNs-s.firstNs < int64(learn) {
			return d
		}
		s.target.learned()
		s.started, s.stepped, s.joined, s.startedNs = true, false, false, s.last.TimeNs
		s.movedNs = s.startedNs
		return s.seek(d)
	}
	if s.stepped && !s.seeking {
		s.stepped = false
		s.phase = s.delay() - s.target.frames()
		// Until the slow loop has worked it off, every packet may be late. A step
		// that the allowance swallows is not worth a cut.
		if math.Abs(s.phase) > s.target.allowance()*stepShare {
			return s.seek(d)
		}
	}
	if s.seeking {
		if s.last.TimeNs-s.seekNs > int64(seekAgain) {
			return s.seek(d)
		}
		d.Ratio = s.ratio()
		return d
	}
	if !s.last.Playing || math.Abs(s.phase) > math.Max(leastReseek, reseekFraction*s.target.frames()) {
		s.equal, s.target.copying = false, false
		return s.seek(d)
	}
	if s.joined {
		s.joined, s.movedNs = false, s.last.TimeNs
		s.phase = s.delay() - s.target.frames()
		// Clocks that are one, or may be, do not work it off: with lost time every few
		// seconds they would never be found.
		s.misplaced = (s.equal || s.equalSince != 0) && math.Abs(s.phase) > equalMargin
	}
	s.decideEqual()
	if s.misplaced || s.target.moved() && (s.equal || s.target.periodMoved()) {
		return s.seek(d)
	}
	s.target.place() // the ratio leads there, unheard
	d.Ratio = s.ratio()
	if !s.equal {
		d.Ratio += s.correction()
	}
	return d
}

// correction is the slow loop's part of the ratio.
func (s *Servo) correction() float64 {
	phase := math.Copysign(math.Max(0, math.Abs(s.phase)-deadBand), s.phase)
	sinceSeconds := float64(s.last.TimeNs-s.movedNs) * 1e-9
	seconds := math.Min(math.Max(phaseShare*sinceSeconds, phaseLeast), phaseSeconds)
	wanted := math.Min(math.Max(phase/(seconds*float64(s.cfg.RateHz)), -phaseLimit), phaseLimit)
	s.corrected += math.Min(math.Max(wanted-s.corrected, -phaseSlew), phaseSlew)
	return s.corrected
}

// ratio is the feed-forward: stream frames per local frame.
func (s *Servo) ratio() float64 {
	if s.equal {
		return 1
	}
	return s.cycle.rateNs() / s.arrival.rateNs()
}

// seek decides to play a target's distance behind the sender, at a whole frame.
func (s *Servo) seek(d Decision) Decision {
	base := s.arrival.frame // near by: what is added to it is small and exact
	s.target.place()
	s.corrected, s.misplaced = 0, false
	s.offset = base - s.last.Media + int64(math.Round(s.sender(base)-s.target.frames()))
	s.seeking, s.seekNs = true, s.last.TimeNs
	d.Seek, d.Offset, d.Ratio = true, s.offset, s.ratio()
	return d
}

// decideEqual finds clocks that are one and the same, plays them without
// resampling, and goes back when the phase wanders after all.
func (s *Servo) decideEqual() {
	if s.cfg.Free {
		return
	}
	// On a busy machine the slopes are off by more than sameDrift for seconds, their
	// averages are not; after a clock came back the averages are, for minutes.
	driftNow := math.Abs(s.cycle.nsPerFrame/s.arrival.nsPerFrame - 1)
	drift := math.Min(driftNow, math.Abs(s.cycle.usualNsPerFrame/s.arrival.usualNsPerFrame-1))
	// Clocks that are one are so from the start. Later on, two that drift past each
	// other look like it for a while.
	young := s.last.TimeNs-s.startedNs < int64(youngFor)
	within, patience := sameDrift, max(s.equalPatience, equalLater)
	if young {
		drift, within, patience = driftNow, equalDrift, s.equalPatience
	}
	if s.equal {
		switch {
		case s.misplaced || math.Abs(s.phase) <= wanderMargin:
		// No drift did that, but a step too small to be found, or points of which for
		// a while not even the earliest was punctual. A drift would do it again soon.
		case driftNow < within, drift < equalDrift && (s.replacedNs == 0 || s.last.TimeNs-s.replacedNs > int64(replaceAgain)):
			s.misplaced, s.replacedNs = true, s.last.TimeNs
		default:
			s.equal, s.equalSince, s.target.copying = false, 0, false
			s.equalPatience = min(2*s.equalPatience, mostPatience)
		}
		return
	}
	if drift > within || math.Abs(s.phase) > equalMargin && !s.misplaced {
		s.equalSince = 0
		return
	}
	if s.equalSince == 0 {
		s.equalSince = s.last.TimeNs
	}
	if s.last.TimeNs-s.equalSince >= int64(patience) {
		s.equal = true
		// Nothing is lowered later on: a latency that moves is none to rely on.
		s.target.copying = young
	}
}

// Status is what the servo knows, for display and for published latencies.
type Status struct {
	Playing      bool
	Equal        bool    // the clocks are one: no resampling
	DelayFrames  float64 // of playout behind the sender
	TargetFrames float64
	LeastFrames  int     // what period and resampler need: no target is below; 0: not known yet
	JitterFrames int     // learned: for the next session with this peer
	DriftPPM     float64 // of the sender's clock against the local graph's
	RatioPPM     float64 // resampling in force; 0 exactly: none
	LateUs       Quantiles
}

// Status returns the present state. LateUs is of the newest 2048 bursts.
func (s *Servo) Status() Status {
	st := Status{
		Equal: s.equal, TargetFrames: s.target.frames(), LeastFrames: s.target.least(),
		JitterFrames: s.target.nextJitter(), LateUs: s.late.quantiles(),
	}
	if s.started && s.haveLast && s.last.Playing {
		st.Playing = true
		st.DelayFrames = s.delay()
		st.RatioPPM = (s.last.Ratio - 1) * 1e6
		st.DriftPPM = (s.cycle.nsPerFrame/s.arrival.nsPerFrame - 1) * 1e6
	}
	return st
}

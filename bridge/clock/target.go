package clock

import "math"

// marginState is what is known of the jitter margin.
type marginState int

const (
	marginUnknown marginState = iota // it has to be learned before the first sound
	marginGiven                      // it was learned by an earlier session, or the latency is fixed
	marginHeld                       // learned or given, and in force: only evidence raises it
)

// target is the buffer target: how far playout stays behind the sender. It is the receiver's
// period, the resampler's look-ahead, what repeats need, and the jitter margin, which one
// packet in 100,000 may exceed. The margin is learned, rounded up to a quarter period, and
// held. Evidence raises it, and only a new session lowers it.
type target struct {
	fixedFrames     int
	lookaheadFrames int
	extraFrames     int
	periodFrames    int
	jitterMargin    int // frames
	margin          marginState
	pdv             pdvDistribution
	bypass          bool    // the resampler is not used, and its look-ahead not needed
	inForce         float64 // what frames() was when playout was last placed
	placedPeriod    int     // the period at that time
	leastStall      float64 // frames
	events          []lateEvent
}

// lateEvent is a packet that was later than the margin allows.
type lateEvent struct {
	timeNs int64
	frames float64 // of delay variation
}

func newTarget(cfg Config) target {
	t := target{
		fixedFrames: cfg.LatencyFrames, lookaheadFrames: cfg.LookaheadFrames, extraFrames: cfg.ExtraFrames,
		leastStall:   leastStall.Seconds() * float64(cfg.RateHz),
		jitterMargin: cfg.JitterFrames,
	}
	if cfg.JitterFrames > 0 || cfg.LatencyFrames > 0 {
		t.margin = marginGiven
	}
	return t
}

// known says that nothing needs to be learned before the first sound.
func (t *target) known() bool { return t.margin != marginUnknown }

// period adopts the period that the server really uses.
func (t *target) period(frames int) { t.periodFrames = frames }

// observe takes the delay variation of a packet group, in frames.
func (t *target) observe(frames float64, timeNs int64) {
	if frames > max(t.leastStall, stallPeriods*float64(t.periodFrames)) {
		return
	}
	t.pdv.add(frames)
	if t.margin != marginHeld || t.fixedFrames > 0 || frames <= float64(t.jitterMargin) {
		return
	}
	if n := len(t.events); n > 0 && timeNs-t.events[n-1].timeNs < int64(eventSpan) {
		return
	}
	t.events = append(t.events, lateEvent{timeNs, frames})
	for len(t.events) > 0 && timeNs-t.events[0].timeNs > int64(raiseWithin) {
		t.events = t.events[1:]
	}
	if len(t.events) >= raiseEvents {
		t.jitterMargin = t.quarter(math.Max(t.leastEvent(), t.pdv.quantile()))
		t.events = t.events[:0]
	}
}

// leastEvent is the smallest delay variation of the late events. A margin of that much would
// have avoided one of them. The largest must not set the latency for good: it may have been
// extraordinary.
func (t *target) leastEvent() float64 {
	least := math.Inf(1)
	for _, e := range t.events {
		least = math.Min(least, e.frames)
	}
	return least
}

// hold ends acquisition: the margin is in force.
func (t *target) hold() {
	if !t.known() {
		t.jitterMargin = t.quarter(t.pdv.quantile())
	}
	t.margin = marginHeld
	t.place()
}

// nextMargin is the margin for the next session with this peer: the one that is held, or
// what this session proved to be enough.
func (t *target) nextMargin() int {
	if t.pdv.proven() {
		return min(t.jitterMargin, t.quarter(t.pdv.quantile()))
	}
	return t.jitterMargin
}

// quarter rounds up to a quarter period, at least one.
func (t *target) quarter(frames float64) int {
	step := max(1, t.periodFrames/4)
	return max(1, int(math.Ceil(frames/float64(step)))) * step
}

// frames is the target now. A fixed one is never below the least.
func (t *target) frames() float64 {
	if t.fixedFrames > 0 {
		return float64(max(t.fixedFrames, t.needed()))
	}
	return float64(t.needed() + t.jitterMargin)
}

// needed is what the period, the resampler and repeats take, and one frame for the fraction
// of a position.
func (t *target) needed() int {
	needed := t.periodFrames + 1 + t.extraFrames
	if !t.bypass {
		needed += t.lookaheadFrames
	}
	return needed
}

// marginFrames is how much delay variation a packet may have and still be in time.
func (t *target) marginFrames() float64 { return t.frames() - float64(t.needed()) }

// least is the least target there is; 0 before the period is known.
func (t *target) least() int {
	if t.periodFrames == 0 {
		return 0
	}
	return t.needed()
}

// place notes that playout is being placed at the target.
func (t *target) place() { t.inForce, t.placedPeriod = t.frames(), t.periodFrames }

// moved says that the target has changed since playout was placed.
func (t *target) moved() bool { return t.frames() != t.inForce }

// periodMoved says that the period has. Then the ratio is too slow to work it off.
func (t *target) periodMoved() bool { return t.periodFrames != t.placedPeriod }

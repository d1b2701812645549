package clock

import (
	"math"
	"time"
)

const (
	stallPeriods  = 4                      // later than this, and than leastStall, is a stall:
	leastStall    = 4 * time.Millisecond   // no buffer is meant to cover it
	raiseAfter    = 3                      // packets later than the target allows ...
	raiseWithin   = time.Minute            // ... within this time raise it
	raiseTogether = 100 * time.Millisecond // later ones in this time are the same event
)

// target is the buffer target: how far playout stays behind the sender. It is
// the receiver's period, the resampler's look-ahead, what repeats need, and an
// allowance for late packets, of which one in 100,000 may be later. The allowance
// is learned, rounded up to a quarter period and held; evidence raises it, and
// only a new session lowers it.
type target struct {
	fixedFrames     int
	lookaheadFrames int
	extraFrames     int
	periodFrames    int
	jitterFrames    int // the allowance
	late            lateness
	copying         bool // the clocks are one: the resampler is not used
	isKnown         bool
	isLearned       bool
	inForce         float64 // what frames returned when playout was last placed
	placedPeriod    int     // the period at that time
	leastStall      float64 // frames
	events          []lateEvent
}

// lateEvent is a packet that was later than the target allows.
type lateEvent struct {
	timeNs     int64
	lateFrames float64
}

func newTarget(cfg Config) target {
	return target{
		fixedFrames: cfg.LatencyFrames, lookaheadFrames: cfg.LookaheadFrames, extraFrames: cfg.ExtraFrames,
		leastStall:   leastStall.Seconds() * float64(cfg.RateHz),
		jitterFrames: cfg.JitterFrames, isKnown: cfg.JitterFrames > 0 || cfg.LatencyFrames > 0,
	}
}

// known says that nothing needs to be learned before the first sound.
func (t *target) known() bool { return t.isKnown }

// period adopts the period that the server really uses.
func (t *target) period(frames int) { t.periodFrames = frames }

// observe takes the lateness of a burst, in frames against the arrival line.
func (t *target) observe(lateFrames float64, timeNs int64) {
	if lateFrames > max(t.leastStall, stallPeriods*float64(t.periodFrames)) {
		return
	}
	t.late.add(lateFrames)
	if !t.isLearned || t.fixedFrames > 0 || lateFrames <= float64(t.jitterFrames) {
		return
	}
	if n := len(t.events); n > 0 && timeNs-t.events[n-1].timeNs < int64(raiseTogether) {
		return
	}
	t.events = append(t.events, lateEvent{timeNs, lateFrames})
	for len(t.events) > 0 && timeNs-t.events[0].timeNs > int64(raiseWithin) {
		t.events = t.events[1:]
	}
	if len(t.events) >= raiseAfter {
		t.jitterFrames = t.quarter(math.Max(t.mildest(), t.late.quantile()))
		t.events = t.events[:0]
	}
}

// mildest is the smallest lateness of the events: what it takes to have had one
// fewer. One that was extraordinarily late must not set the latency for good.
func (t *target) mildest() float64 {
	least := math.Inf(1)
	for _, e := range t.events {
		least = math.Min(least, e.lateFrames)
	}
	return least
}

// learned ends the learning.
func (t *target) learned() {
	if !t.isKnown {
		t.jitterFrames = t.quarter(t.late.quantile())
		t.isKnown = true
	}
	t.isLearned = true
	t.place()
}

// nextJitter is the allowance for the next session with this peer: what is held,
// or what this session proved to be enough.
func (t *target) nextJitter() int {
	if t.late.proven() {
		return min(t.jitterFrames, t.quarter(t.late.quantile()))
	}
	return t.jitterFrames
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
	return float64(t.needed() + t.jitterFrames)
}

// needed is what the period, the resampler and repeats take, and one frame for
// the fraction of a position.
func (t *target) needed() int {
	needed := t.periodFrames + 1 + t.extraFrames
	if !t.copying {
		needed += t.lookaheadFrames
	}
	return needed
}

// allowance is how late a packet may be, in frames.
func (t *target) allowance() float64 { return t.frames() - float64(t.needed()) }

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

// periodMoved says that it has because the period has: that cannot wait until the
// ratio has worked it off.
func (t *target) periodMoved() bool { return t.periodFrames != t.placedPeriod }

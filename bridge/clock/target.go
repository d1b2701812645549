package clock

import (
	"math"
	"time"
)

// marginState is what is known of the jitter margin.
type marginState int

const (
	marginUnknown marginState = iota // it has to be learned before the first sound
	marginGiven                      // it was learned by an earlier session, or the latency is fixed
	marginHeld                       // learned or given, and in force: only evidence moves it
)

// target is the buffer target: how far playout stays behind the sender. It is the receiver's
// period, the resampler's look-ahead, what repeats need, and the jitter margin. The margin is
// learned from the first packets, one in 100,000 of which may exceed it, rounded up to a
// quarter period, and held. More gaps than the budget allows raise it. What was learned in
// the first minute is looked at once more in calm time and given back where it is more than
// the budget needs. Nothing else lowers it within a session.
type target struct {
	fixedFrames     int
	lookaheadFrames int
	extraFrames     int
	periodFrames    int
	jitterMargin    int     // frames
	inForce         float64 // frames of it that playout has; it is led to jitterMargin
	leading         float64 // the ratio's part in that
	margin          marginState
	pdv             pdvDistribution // of the packets before the first sound
	bypass          bool            // the resampler is not used, and its look-ahead not needed
	placed          float64         // what frames() was without the margin when playout was last placed
	placedPeriod    int             // the period at that time
	leastStall      float64         // frames

	gaps     gaps
	calm     calm
	firstNs  int64 // the first sound
	calmNs   int64 // the last gap that counted, or the end of the first minute
	reviewed bool  // what was learned in the first minute
	next     int   // the jitter margin for the next session, in frames
	changes  []MarginChange
}

// MarginChange says that the jitter margin was changed, and why.
type MarginChange struct {
	From, To int // frames
	// Of a raise: the gaps that late packets made, in how long, and how many of them the
	// larger margin would have avoided. Of what is given back: 0 gaps, and how much time was
	// seen in which the smaller margin would have been enough.
	Gaps, Saved int
	In          time.Duration
}

// GivenBack says that the margin was lowered.
func (c MarginChange) GivenBack() bool { return c.To < c.From }

func newTarget(cfg Config) target {
	t := target{
		fixedFrames: cfg.LatencyFrames, lookaheadFrames: cfg.LookaheadFrames, extraFrames: cfg.ExtraFrames,
		leastStall:   leastStall.Seconds() * float64(cfg.RateHz),
		jitterMargin: cfg.JitterFrames, inForce: float64(cfg.JitterFrames),
	}
	t.gaps.perHour = float64(cfg.GapsPerHour)
	if cfg.JitterFrames > 0 || cfg.LatencyFrames > 0 {
		t.margin = marginGiven
	}
	return t
}

// known says that nothing needs to be learned before the first sound.
func (t *target) known() bool { return t.margin != marginUnknown }

// period adopts the period that the server really uses, in frames of a length in ns.
func (t *target) period(frames int, frameNs float64) {
	t.periodFrames = frames
	spanNs := max(int64(eventSpan), int64(eventPeriods*float64(frames)*frameNs))
	t.gaps.spanNs, t.calm.spanNs = spanNs, spanNs
}

// most is the largest margin that evidence asks for, in frames: a delay variation beyond it
// is a stall.
func (t *target) most() float64 { return max(t.leastStall, stallPeriods*float64(t.periodFrames)) }

// observe takes the delay variation of a packet group, in frames.
func (t *target) observe(frames float64, timeNs int64) {
	stall := frames > t.most()
	switch {
	case t.margin != marginHeld:
		if !stall {
			t.pdv.add(frames)
		}
	case t.fixedFrames > 0 || timeNs-t.firstNs < int64(firstMinute):
	case stall || t.gaps.near(timeNs):
		t.calm.drop()
	default:
		t.calm.add(frames, timeNs)
	}
}

// late takes a packet that came too late for the cycle that needed it, and the margin that
// would have been enough, in frames.
func (t *target) late(needs float64, timeNs int64) {
	if t.margin == marginHeld && t.fixedFrames == 0 {
		t.gaps.late(needs, timeNs)
	}
}

// lostTime takes that a server lost time, or that a clock stepped.
func (t *target) lostTime(timeNs int64) {
	t.gaps.lostTime(timeNs)
	t.calm.drop()
}

// weigh compares the margin with what was seen of it: it is raised if that keeps the budget
// of gaps, or given back what the first minute was wrong about.
func (t *target) weigh(nowNs int64) {
	if t.fixedFrames > 0 || t.margin != marginHeld {
		return
	}
	early := nowNs-t.firstNs < int64(firstMinute)
	r, exceeded := t.gaps.judge(nowNs, float64(t.jitterMargin), t.most())
	if r.newestNs > t.calmNs {
		t.calmNs = r.newestNs
		t.calm.gap()
	}
	if exceeded {
		to := t.quarter(r.needs)
		saved := t.gaps.saved(float64(to), nowNs)
		t.change(to, MarginChange{Gaps: r.gaps, Saved: saved, In: time.Duration(r.inNs)})
		if !early {
			t.next = to
		}
		return
	}
	if t.reviewed || early || nowNs-t.calmNs < int64(calmFor) || !t.calm.enough() {
		return
	}
	t.reviewed = true
	if enough := t.quarter(t.calm.margin(t.gaps.perHour)); enough < t.jitterMargin {
		t.change(enough, MarginChange{In: time.Duration(t.calm.seenNs())})
	}
	t.next = t.jitterMargin
}

// change moves the margin and keeps why.
func (t *target) change(to int, why MarginChange) {
	why.From, why.To = t.jitterMargin, to
	t.jitterMargin = to
	t.changes = append(t.changes, why)
}

// lead brings the margin in force nearer to the one that is wanted, after a number of frames
// has been played, and returns what the ratio differs by for that. So slow a change of the
// pitch is not heard.
func (t *target) lead(frames float64) float64 {
	t.inForce -= t.leading * frames
	way := float64(t.jitterMargin) - t.inForce
	if math.Abs(way) <= deadBand || way*t.leading > 0 { // there, or past it
		t.inForce, t.leading = float64(t.jitterMargin), 0
	} else {
		t.leading = -math.Copysign(leadRate, way)
	}
	return t.leading
}

// behind says that playout is on its way to a larger margin, and far from it: a gap is the
// moment to jump there.
func (t *target) behind() bool { return float64(t.jitterMargin)-t.inForce > leastJump }

// hold ends acquisition: the margin is in force.
func (t *target) hold(nowNs int64) {
	if !t.known() {
		t.jitterMargin = t.quarter(t.pdv.quantile())
	}
	if t.margin != marginHeld {
		t.firstNs, t.calmNs, t.gaps.fromNs = nowNs, nowNs+int64(firstMinute), nowNs
		t.next = t.jitterMargin
	}
	t.margin = marginHeld
	t.place()
}

// nextMargin is the margin for the next session with this peer: without the raises of a first
// minute that was not looked at again, and not more than calm time proved to be enough.
func (t *target) nextMargin() int {
	if t.margin != marginHeld {
		return t.jitterMargin
	}
	if t.reviewed {
		return min(t.next, t.quarter(t.calm.margin(t.gaps.perHour)))
	}
	return t.next
}

// quarter rounds up to a quarter period, at least one.
func (t *target) quarter(frames float64) int {
	step := max(1, t.periodFrames/4)
	return max(1, int(math.Ceil(frames/float64(step)))) * step
}

// frames is the target now. A fixed one is never below the least.
func (t *target) frames() float64 {
	if t.fixedFrames > 0 {
		return t.apart()
	}
	return t.apart() + t.inForce
}

// apart is the target apart from a margin that is learned.
func (t *target) apart() float64 { return float64(max(t.fixedFrames, t.needed())) }

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

// place notes that playout is being placed at the target, all of the margin included.
func (t *target) place() {
	t.inForce, t.leading = float64(t.jitterMargin), 0
	t.settle()
}

// settle notes that playout is where the target is.
func (t *target) settle() { t.placed, t.placedPeriod = t.apart(), t.periodFrames }

// moved says that the target has changed since playout was placed, by more than the margin.
func (t *target) moved() bool { return t.apart() != t.placed }

// periodMoved says that the period has. Then the ratio is too slow to work it off.
func (t *target) periodMoved() bool { return t.periodFrames != t.placedPeriod }

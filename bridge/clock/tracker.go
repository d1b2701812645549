package clock

import "math"

// verdict is what a point was to its tracker.
type verdict int

const (
	followed       verdict = iota
	reset                  // the first point, or the first of a clock that counts from elsewhere now
	offsetStep             // the clock stepped, and the envelope with it
	resynchronised         // the envelope was shifted to the points behind a discontinuity, or by a small step
	outlier                // far from the envelope: says nothing
)

// trackerState is what the block under way does to the envelope when it is over.
// docs/clock-recovery.md has the picture.
type trackerState int

const (
	steady          trackerState = iota // the envelope gets its earliest point
	resynchronising                     // the envelope is shifted to its earliest point
	settling                            // the envelope gets its earliest point, and is shifted to it if that is early
)

// tracker is the clock tracker: it keeps the envelope of one clock. Only the earliest point
// of each block of time goes to the envelope: nothing comes before its time and anything can
// be late, so load, which makes most points late, leaves the envelope where it is. A block
// is a share of the time observed, at most half a second.
//
// At a discontinuity the clock lost time. Its media clock knows how much only as well as
// the wake-ups around it were punctual. That moves the envelope and says nothing about its
// slope. The machine that stalled is often still busy in the first block after it, so for
// some blocks more an earlier point shifts the envelope again.
type tracker struct {
	envelope
	steps      stepDetector
	smallSteps smallStepDetector
	outliers   int // in a row

	state        trackerState
	settlingLeft int // blocks
	block        block
}

// block is the time in which the earliest point is looked for.
type block struct {
	open          bool
	fromNs        int64
	earliestNs    int64 // of the earliest point: its time, frame and residual
	earliestFrame int64
	leastResidual float64 // ns
}

func newTracker(rateHz int) tracker { return tracker{envelope: newEnvelope(rateHz)} }

// begin forgets everything and puts the envelope through a point.
func (k *tracker) begin(frame, timeNs int64) {
	rateNs := k.nominalNs
	*k = tracker{envelope: envelope{nominalNs: rateNs, nsPerFrame: rateNs, deviationNs: firstDeviationNs}}
	k.start(frame, timeNs)
}

// add takes a point and whether it is the first behind a discontinuity. It returns the
// residual of the point, in nanoseconds.
func (k *tracker) add(frame, timeNs int64, discontinuity bool) (residualNs float64, v verdict) {
	if !k.started {
		k.begin(frame, timeNs)
		return 0, reset
	}
	if discontinuity {
		k.lostTime(frame, timeNs)
	}
	residualNs = k.residualNs(frame, timeNs)
	if math.Abs(residualNs) > outlierNs {
		if k.outliers++; k.outliers < resetOutliers {
			return residualNs, outlier
		}
		k.begin(frame, timeNs)
		return 0, reset
	}
	k.outliers = 0
	if step := k.steps.add(timeNs, residualNs); step != 0 {
		k.hypothesise(step)
		k.block.open = false
		k.smallSteps.restart()
		residualNs -= step
		v = offsetStep
	}
	if k.collect(frame, timeNs, residualNs) {
		shiftNs, moved := k.endBlock(frame)
		if moved {
			residualNs -= shiftNs
			v = resynchronised
		}
	}
	return residualNs, v
}

// lostTime is told of a discontinuity before a point.
func (k *tracker) lostTime(frame, timeNs int64) {
	k.block.open = false
	if k.observedNs < maxBlockNs {
		// This is as quick as waiting for a block, and nothing is known yet that is
		// worth keeping: the slope of two points must not stay.
		k.start(frame, timeNs)
		return
	}
	k.state = resynchronising
	k.smallSteps.restart()
}

// collect keeps the earliest point of the block and says whether the block is over.
func (k *tracker) collect(frame, timeNs int64, residualNs float64) bool {
	b := &k.block
	if !b.open {
		*b = block{open: true, fromNs: timeNs, leastResidual: math.Inf(1)}
	}
	if residualNs < b.leastResidual {
		b.leastResidual, b.earliestFrame, b.earliestNs = residualNs, frame, timeNs
	}
	if float64(timeNs-b.fromNs) < k.blockNs() {
		return false
	}
	b.open = false
	return true
}

// blockNs is how long a block is.
func (k *tracker) blockNs() float64 {
	if k.state == resynchronising {
		return maxBlockNs
	}
	return math.Min(k.observedNs*blockShare, maxBlockNs)
}

// endBlock gives the earliest point of a block to the envelope. It says whether that
// shifted the envelope, and by how much at a frame.
func (k *tracker) endBlock(frame int64) (shiftNs float64, moved bool) {
	whole := k.blockNs() == maxBlockNs
	switch k.state {
	case resynchronising:
		k.state, k.settlingLeft = settling, settlingBlocks
		k.shift(k.block.leastResidual)
		return k.block.leastResidual, true
	case settling:
		shiftNs = math.Min(k.block.leastResidual, 0)
		k.shift(shiftNs)
		if k.settlingLeft--; k.settlingLeft == 0 {
			k.state = steady
		}
	}
	if whole {
		step := k.smallSteps.add(k.block.leastResidual)
		k.hypothesise(step)
		shiftNs += step
	}
	k.update(k.block.earliestFrame, k.block.earliestNs)
	before := k.timeOf(frame)
	if largestNs := k.retract(); largestNs != 0 {
		k.steps.raise(largestNs)
		k.smallSteps.raise(largestNs)
		shiftNs += k.timeOf(frame) - before
	}
	return shiftNs, shiftNs != 0
}

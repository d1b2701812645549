package clock

import "math"

const (
	lostNs     = 20e6 // a point this far off the line is not on it
	lostPoints = 5    // so many in a row: the clock began anew
	blockShare = 1.0 / 16
	mostBlock  = 500e6 // ns
	seamBlocks = 10    // after a seam in which an earlier point moves the line at once
)

// verdict is what a point was to its track.
type verdict int

const (
	followed verdict = iota
	begun            // the first point, or the first of a clock that began anew
	stepped          // the clock stepped, and the line with it
	joined           // a seam is over, or was a small step: the line was shifted to what follows it
	strayed          // not on the line: tells nothing
)

// track is the line under the points of one clock, through the earliest of them:
// nothing comes before its time, but anything can be late. The earliest point of
// each block of time moves the line, so that load, which makes most points late,
// leaves it where it is. A block is a share of the time observed, at most half a second.
//
// A seam is where the clock lost time. How much is known only as well as the wake-ups
// around it were punctual: that moves the line, and says nothing of its slope. The
// machine that stalled is often still busy in the first block after it, so for some
// blocks more an earlier point moves the line again.
type track struct {
	line
	steps stepFinder
	small smallStepFinder
	stray int // points in a row off the line

	atSeam   bool // the block under way is the first after one
	settling int  // blocks after it that are left in which an earlier point moves the line

	inBlock       bool
	blockFromNs   int64
	earliestErrNs float64
	earliestFrame int64
	earliestNs    int64
}

func newTrack(rateHz int) track { return track{line: newLine(rateHz)} }

// begin forgets everything and puts the line through a point.
func (k *track) begin(frame, timeNs int64) {
	rateNs := k.nominalNs
	*k = track{line: line{nominalNs: rateNs, nsPerFrame: rateNs, spreadNs: firstSpreadNs}}
	k.start(frame, timeNs)
}

// add takes a point, the first after a seam or not, and returns how late it is
// against the line, in nanoseconds.
func (k *track) add(frame, timeNs int64, seam bool) (lateNs float64, v verdict) {
	if !k.started {
		k.begin(frame, timeNs)
		return 0, begun
	}
	if seam && k.seenNs < mostBlock {
		k.start(frame, timeNs) // as quick as a seam's block, and nothing worth keeping is lost
		k.inBlock = false
	} else if seam {
		k.atSeam, k.inBlock = true, false
		k.small.again()
	}
	lateNs = k.errorNs(frame, timeNs)
	if math.Abs(lateNs) > lostNs {
		if k.stray++; k.stray < lostPoints {
			return lateNs, strayed
		}
		k.begin(frame, timeNs)
		return 0, begun
	}
	k.stray = 0
	if step := k.steps.add(timeNs, lateNs); step != 0 {
		k.guess(step)
		k.inBlock = false
		k.small.again()
		lateNs -= step
		v = stepped
	}
	if shiftNs, moved := k.block(frame, timeNs, lateNs); moved {
		lateNs -= shiftNs
		v = joined
	}
	return lateNs, v
}

// block keeps the earliest point and gives it to the line when its block is over.
// It says whether that shifted the line, and by how much: after a seam's block, by
// an earlier point soon after that, and by a small step.
func (k *track) block(frame, timeNs int64, lateNs float64) (shiftNs float64, moved bool) {
	if !k.inBlock {
		k.inBlock, k.blockFromNs, k.earliestErrNs = true, timeNs, math.Inf(1)
	}
	if lateNs < k.earliestErrNs {
		k.earliestErrNs, k.earliestFrame, k.earliestNs = lateNs, frame, timeNs
	}
	length := mostBlock
	if !k.atSeam {
		length = math.Min(k.seenNs*blockShare, mostBlock)
	}
	if float64(timeNs-k.blockFromNs) < length {
		return 0, false
	}
	k.inBlock = false
	if k.atSeam {
		k.atSeam, k.settling = false, seamBlocks
		k.shift(k.earliestErrNs)
		return k.earliestErrNs, true
	}
	if k.settling > 0 {
		shiftNs = math.Min(k.earliestErrNs, 0)
		k.settling--
		k.shift(shiftNs)
	}
	if length == mostBlock {
		step := k.small.add(k.earliestErrNs)
		k.guess(step)
		shiftNs += step
	}
	k.update(k.earliestFrame, k.earliestNs)
	before := k.timeOf(frame)
	if largest := k.doubt(); largest != 0 {
		k.steps.doubt(largest)
		k.small.doubt(largest)
		shiftNs += k.timeOf(frame) - before
	}
	return shiftNs, shiftNs != 0
}

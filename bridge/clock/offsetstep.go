package clock

import "math"

// stepDetector finds that a clock has stepped away from its envelope: a server lost less
// time than its media clock can see, or a network takes another path. Single late points
// are no step. Without the detector the envelope would take seconds to follow one.
type stepDetector struct {
	retracted
	side        float64 // 1: late, -1: early
	count       int     // points in a row on that side
	firstNs     int64   // time of the first of them
	leastNs     float64 // smallest residual of them
	deviationNs float64 // mean absolute deviation of all points
	points      float64 // that the deviation is the mean of
}

// add takes the time and the residual of the next point, in nanoseconds. It returns the
// step if there was one, else 0.
func (d *stepDetector) add(timeNs int64, residualNs float64) float64 {
	side, size := math.Copysign(1, residualNs), math.Abs(residualNs)
	usual := d.deviationNs
	d.points = math.Min(d.points+1, deviationPoints)
	d.deviationNs += (size - d.deviationNs) / d.points
	if size < d.atLeast(math.Max(leastStepNs, stepDeviations*usual)) {
		d.count = 0
		return 0
	}
	if d.count == 0 || side != d.side {
		d.side, d.count, d.firstNs, d.leastNs = side, 0, timeNs, size
	}
	d.count++
	d.leastNs = math.Min(d.leastNs, size)
	if d.count < stepPoints || timeNs-d.firstNs < stepForNs {
		return 0
	}
	d.count = 0
	return side * d.leastNs
}

// smallStepDetector finds a step that is so small that only the earliest point of a whole
// block shows it. An envelope that touches the earliest of all points would stay where it
// is for supportNs.
type smallStepDetector struct {
	retracted
	count       int     // late blocks in a row
	leastNs     float64 // residual of the earliest point of them
	deviationNs float64 // mean absolute deviation of blocks
	blocks      float64 // that it is the mean of; at most a window's
}

// add takes the residual of the earliest point of the next block, in nanoseconds. It
// returns the step if there was one, else 0.
func (d *smallStepDetector) add(residualNs float64) float64 {
	d.blocks = math.Min(d.blocks+1, windowNs/maxBlockNs)
	d.deviationNs += (math.Abs(residualNs) - d.deviationNs) / d.blocks
	if residualNs < d.atLeast(math.Max(leastSmallStepNs, smallStepDeviations*d.deviationNs)) {
		d.count = 0
		return 0
	}
	if d.count == 0 || residualNs < d.leastNs {
		d.leastNs = residualNs
	}
	d.count++
	if d.count < smallStepBlocks {
		return 0
	}
	d.count = 0
	return d.leastNs
}

// restart forgets the late blocks so far: the envelope was moved.
func (d *smallStepDetector) restart() { d.count = 0 }

// retracted is the size that a step must have from now on, in nanoseconds, because steps
// were retracted. It stays: a sender that was late in this way once is so again.
type retracted float64

func (r *retracted) raise(largestNs float64) { *r = max(*r, retracted(retractedShare*largestNs)) }

func (r retracted) atLeast(ns float64) float64 { return math.Max(ns, float64(r)) }

package clock

import "math"

const (
	lateBlocks = 4    // so many blocks in a row whose earliest point is late
	leastLate  = 50e3 // ns: by this, more than busy machines make of it (decision 13),
	lateSpread = 3.0  // and this multiple of the usual error: a small step
)

// smallStepFinder finds that a clock has stepped by so little that only the
// earliest points of whole blocks of mostBlock tell. A line that touches the
// earliest of them all would stay where it is for touchNs.
type smallStepFinder struct {
	doubted
	count   int     // late blocks in a row
	leastNs float64 // how late the earliest of them was
	usualNs float64 // mean size of the errors of blocks
	blocks  float64 // that it is the mean of, at most a window's
}

// add takes how late the next block's earliest point was, in nanoseconds, and
// returns the step when there was one; else 0.
func (f *smallStepFinder) add(errNs float64) float64 {
	f.blocks = math.Min(f.blocks+1, windowNs/mostBlock)
	f.usualNs += (math.Abs(errNs) - f.usualNs) / f.blocks
	if errNs < f.atLeast(math.Max(leastLate, lateSpread*f.usualNs)) {
		f.count = 0
		return 0
	}
	if f.count == 0 || errNs < f.leastNs {
		f.leastNs = errNs
	}
	f.count++
	if f.count < lateBlocks {
		return 0
	}
	f.count = 0
	return f.leastNs
}

// again forgets the late blocks so far: the line was moved.
func (f *smallStepFinder) again() { f.count = 0 }

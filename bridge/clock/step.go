package clock

import "math"

const (
	stepLength  = 16    // so many points in a row,
	stepNs      = 25e6  // for so long (a media clock counts lost time within 22 ms), all on one side of the line,
	leastStepNs = 200e3 // as far from it as this
	stepSpread  = 2.0   // and this multiple of the usual error, are a step
	usualPoints = 1000  // that the usual error is averaged over
	doubtShare  = 1.5   // of a step that proved none: a smaller one is not believed any more
)

// stepFinder finds that a clock has stepped against its line: a server that lost
// less time than it could be seen to lose, or a network that takes another way.
// Single late points are no step, and a line would take seconds to follow one.
type stepFinder struct {
	doubted
	side  float64 // 1: late, -1: early
	count int
	first int64   // TimeNs of the first of them
	least float64 // the smallest error so far
	usual float64 // mean size of the errors
	n     float64 // errors that it is the mean of
}

// add takes the next point's time and its error, in nanoseconds, and returns the
// step when there was one; else 0.
func (f *stepFinder) add(timeNs int64, errNs float64) float64 {
	side, size := math.Copysign(1, errNs), math.Abs(errNs)
	usual := f.usual
	f.n = math.Min(f.n+1, usualPoints)
	f.usual += (size - f.usual) / f.n
	if size < f.atLeast(math.Max(leastStepNs, stepSpread*usual)) {
		f.count = 0
		return 0
	}
	if f.count == 0 || side != f.side {
		f.side, f.count, f.first, f.least = side, 0, timeNs, size
	}
	f.count++
	f.least = math.Min(f.least, size)
	if f.count < stepLength || timeNs-f.first < stepNs {
		return 0
	}
	f.count = 0
	return side * f.least
}

// doubted is how large a step must be to be believed, in nanoseconds, since some were
// taken back. It is not forgotten: who is late for a while like that is so again.
type doubted float64

func (d *doubted) doubt(ns float64) { *d = max(*d, doubted(doubtShare*ns)) }

func (d doubted) atLeast(ns float64) float64 { return math.Max(ns, float64(d)) }

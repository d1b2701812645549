package clock

import "math"

// line relates frames of one clock to CLOCK_MONOTONIC: the straight line under
// noisy (frame, time) points of the last minute, of which nothing can be early
// and anything late. Its slope is that of the lower convex hull of the points,
// its edges weighted by the square of the time that they span, since an edge between
// punctual points far from each other says most. It touches the hull. (Moon,
// Skelly and Towsley, "Estimation and removal of clock skew from network delay
// measurements", INFOCOM 1999, take one edge of the hull.)
//
// A delay-locked loop follows points that are late for seconds, as a virtual
// machine's are when its host is busy. A hull passes below them.
type line struct {
	nominalNs  float64 // ns per frame by the nominal rate
	nsPerFrame float64
	frame      int64   // the line passes through (frame, timeNs)
	timeNs     float64 // relative to originNs: keeps double precision for years
	originNs   int64
	seenNs     float64 // time observed since the start
	spreadNs   float64 // mean absolute error, slowly averaged
	started    bool

	usualNsPerFrame float64 // nsPerFrame, averaged over windowNs

	points []point // oldest first
	hull   []point // scratch
}

// point is one that the line was given, moved where the line was.
type point struct {
	frame     int64
	timeNs    float64 // relative to originNs
	guessedNs float64 // of it: by how much steps that were guessed moved it since
}

const (
	windowNs = 60e9
	touchNs  = 18e9 // the line touches one of the points of this time
	// A single point counts as early by at most this multiple of the usual error,
	// so that no wrong time stamp pulls the line down for a minute.
	outlierSpread = 4.0
	youngNs       = 80e6 // a line younger than this may have begun at a late point
	leastSpreadNs = 5e3
	firstSpreadNs = 100e3
	spreadSeconds = 2.0
	likelyDrift   = maxDrift / 2 // most audio clocks are off by less than a tenth of it
)

func newLine(rateHz int) line {
	ns := 1e9 / float64(rateHz)
	return line{nominalNs: ns, nsPerFrame: ns, spreadNs: firstSpreadNs}
}

// start puts the line through one point, at the nominal rate.
func (l *line) start(frame, timeNs int64) {
	l.frame, l.originNs, l.timeNs = frame, timeNs, 0
	l.seenNs, l.started = 0, true
	l.nsPerFrame, l.usualNsPerFrame = l.nominalNs, l.nominalNs
	l.points = append(l.points[:0], point{frame: frame})
}

// errorNs is how late timeNs is for the frame.
func (l *line) errorNs(frame, timeNs int64) float64 {
	return float64(timeNs-l.originNs) - l.timeOf(frame)
}

// update gives the line a point and returns the point's error before. A frame that
// is not after all others is passed over.
func (l *line) update(frame, timeNs int64) float64 {
	errNs := l.errorNs(frame, timeNs)
	newest := l.points[len(l.points)-1]
	spanNs := float64(frame-newest.frame) * l.nsPerFrame
	if spanNs <= 0 {
		return errNs
	}
	l.seenNs += spanNs
	limit := outlierSpread * math.Max(l.spreadNs, leastSpreadNs)
	if l.seenNs < youngNs {
		limit = math.Inf(1)
	}
	l.spreadNs += (math.Min(math.Abs(errNs), limit) - l.spreadNs) * math.Min(1, spanNs*1e-9/spreadSeconds)
	l.points = append(l.points, point{frame: frame, timeNs: l.timeOf(frame) + math.Max(errNs, -limit)})
	for float64(frame-l.points[0].frame)*l.nominalNs > windowNs {
		l.points = l.points[1:]
	}
	l.fit()
	l.usualNsPerFrame += (l.nsPerFrame - l.usualNsPerFrame) * math.Min(1, spanNs/math.Min(l.seenNs, windowNs))
	return errNs
}

// rateNs is the newest slope: a drift that changes leaves the line's own behind by
// half a window, and the average by a whole one.
func (l *line) rateNs() float64 {
	if l.seenNs < windowNs {
		return l.nsPerFrame
	}
	return l.nsPerFrame + (l.nsPerFrame-l.usualNsPerFrame)/2
}

// fit puts the line under its points.
func (l *line) fit() {
	// No audio clock is further off than this.
	l.nsPerFrame = math.Min(math.Max(l.slopeUnder(l.points), l.nominalNs*(1-maxDrift)), l.nominalNs*(1+maxDrift))
	newest := l.points[len(l.points)-1]
	touches := newest
	for _, p := range l.points {
		if float64(newest.frame-p.frame)*l.nominalNs < touchNs && (p.timeNs-touches.timeNs) < l.nsPerFrame*float64(p.frame-touches.frame) {
			touches = p
		}
	}
	l.frame, l.timeNs = touches.frame, touches.timeNs
}

// slopeUnder is of the line under these points.
func (l *line) slopeUnder(points []point) float64 {
	l.hull = l.hull[:0]
	for _, p := range points {
		for n := len(l.hull); n >= 2 && slope(l.hull[n-2], p) <= slope(l.hull[n-2], l.hull[n-1]); n-- {
			l.hull = l.hull[:n-1]
		}
		l.hull = append(l.hull, p)
	}
	first, last := l.hull[0].frame, l.hull[len(l.hull)-1].frame
	// Two points of a young line say little: it starts with the nominal rate, which
	// counts as an edge of youngNs.
	weights := math.Pow(youngNs/l.nominalNs, 4)
	sum := weights * l.nominalNs
	for i, b := range l.hull[1:] {
		a := l.hull[i]
		span := float64(b.frame - a.frame)
		// Of the edges at the ends nobody knows yet, or any more, whether they are below.
		before, after := float64(b.frame-first)+float64(a.frame-first), float64(last-b.frame)+float64(last-a.frame)
		weight := span * span * before * after
		weights += weight
		sum += weight * slope(a, b)
	}
	return sum / weights
}

// slope is of the line from a to b, which is later, in ns per frame.
func slope(a, b point) float64 { return (b.timeNs - a.timeNs) / float64(b.frame-a.frame) }

// shift moves the line in time and leaves its slope.
func (l *line) shift(ns float64) {
	l.timeNs += ns
	for i := range l.points {
		l.points[i].timeNs += ns
	}
}

// guess shifts the line by a step that the points alone tell of.
func (l *line) guess(ns float64) {
	l.shift(ns)
	for i := range l.points {
		l.points[i].guessedNs += ns
	}
}

// doubt takes the guessed steps back where with them the clock would be further off
// than any that is likely, and less so without: they were lateness that comes and goes.
// It returns the largest of them, in nanoseconds; 0: they stand.
func (l *line) doubt() (largestNs float64) {
	offBy := math.Abs(l.nsPerFrame - l.nominalNs)
	if offBy < l.nominalNs*likelyDrift {
		return 0
	}
	unmoved := make([]point, len(l.points))
	newer := 0.0
	for i := len(l.points) - 1; i >= 0; i-- {
		p := l.points[i]
		largestNs = math.Max(largestNs, math.Abs(p.guessedNs-newer))
		newer = p.guessedNs
		unmoved[i] = point{frame: p.frame, timeNs: p.timeNs - p.guessedNs}
	}
	if largestNs == 0 || math.Abs(l.slopeUnder(unmoved)-l.nominalNs) >= offBy {
		return 0
	}
	l.points = unmoved
	l.fit()
	return largestNs
}

// frameAt is the frame, with fraction, at a time; relative to base to keep it small.
func (l *line) frameAt(relativeNs float64, base int64) float64 {
	return float64(l.frame-base) + (relativeNs-l.timeNs)/l.nsPerFrame
}

// timeOf is the time of a frame relative to the line's origin.
func (l *line) timeOf(frame int64) float64 {
	return l.timeNs + float64(frame-l.frame)*l.nsPerFrame
}

package clock

import "math"

// envelope is the skew estimate: it relates the frames of one clock to CLOCK_MONOTONIC by
// a straight line under noisy (frame, time) points of the last minute. A point can be late
// by any amount and never early, so the line is the lower envelope of the points. Its slope
// is that of their lower convex hull, the mean of the hull's edges weighted by the square
// of the time that they span: an edge between punctual points far from each other says
// most. The line touches the hull. (Moon, Skelly and Towsley, "Estimation and removal of
// clock skew from network delay measurements", INFOCOM 1999, take one edge of the hull.)
//
// A delay-locked loop follows points that are late for seconds, as those of a virtual
// machine are when its host is busy. A hull passes below them.
type envelope struct {
	nominalNs  float64 // ns per frame by the nominal rate
	nsPerFrame float64
	frame      int64   // the line passes through (frame, timeNs)
	timeNs     float64 // relative to originNs: keeps double precision for years
	originNs   int64
	observedNs float64 // time since the start
	started    bool

	deviationNs       float64 // mean absolute deviation of the points, slowly averaged
	averageNsPerFrame float64 // nsPerFrame, averaged over windowNs

	points []point // oldest first
	hull   []point // scratch
}

// point is one that the envelope was given. It moves with the envelope.
type point struct {
	frame          int64
	timeNs         float64 // relative to originNs
	hypothesisedNs float64 // how much of it are steps that were hypothesised since
}

func newEnvelope(rateHz int) envelope {
	ns := 1e9 / float64(rateHz)
	return envelope{nominalNs: ns, nsPerFrame: ns, deviationNs: firstDeviationNs}
}

// start puts the line through one point, at the nominal rate.
func (e *envelope) start(frame, timeNs int64) {
	e.frame, e.originNs, e.timeNs = frame, timeNs, 0
	e.observedNs, e.started = 0, true
	e.nsPerFrame, e.averageNsPerFrame = e.nominalNs, e.nominalNs
	e.points = append(e.points[:0], point{frame: frame})
}

// residualNs is how much later than the line timeNs is for the frame.
func (e *envelope) residualNs(frame, timeNs int64) float64 {
	return float64(timeNs-e.originNs) - e.timeOf(frame)
}

// update gives the envelope a point and returns the residual that the point had before. A
// frame that is not after all others is ignored.
func (e *envelope) update(frame, timeNs int64) float64 {
	residualNs := e.residualNs(frame, timeNs)
	newest := e.points[len(e.points)-1]
	spanNs := float64(frame-newest.frame) * e.nsPerFrame
	if spanNs <= 0 {
		return residualNs
	}
	e.observedNs += spanNs
	// No wrong time stamp may pull the line down for a minute. In acquisition there is no
	// limit: the first point may have been late by any amount.
	limit := outlierDeviations * math.Max(e.deviationNs, leastDeviationNs)
	if e.observedNs < acquisitionNs {
		limit = math.Inf(1)
	}
	e.deviationNs += (math.Min(math.Abs(residualNs), limit) - e.deviationNs) * math.Min(1, spanNs*1e-9/deviationSeconds)
	e.points = append(e.points, point{frame: frame, timeNs: e.timeOf(frame) + math.Max(residualNs, -limit)})
	for float64(frame-e.points[0].frame)*e.nominalNs > windowNs {
		e.points = e.points[1:]
	}
	e.fit()
	e.averageNsPerFrame += (e.nsPerFrame - e.averageNsPerFrame) * math.Min(1, spanNs/math.Min(e.observedNs, windowNs))
	return residualNs
}

// rateNs is the slope now. Where a drift changes, the line's own slope is half a window old
// and its average a whole one, so half of their difference is added.
func (e *envelope) rateNs() float64 {
	if e.observedNs < windowNs {
		return e.nsPerFrame
	}
	return e.nsPerFrame + (e.nsPerFrame-e.averageNsPerFrame)/2
}

// fit puts the line under its points.
func (e *envelope) fit() {
	e.nsPerFrame = math.Min(math.Max(e.hullSlope(e.points), e.nominalNs*(1-maxDrift)), e.nominalNs*(1+maxDrift))
	newest := e.points[len(e.points)-1]
	touches := newest
	for _, p := range e.points {
		if float64(newest.frame-p.frame)*e.nominalNs < supportNs && (p.timeNs-touches.timeNs) < e.nsPerFrame*float64(p.frame-touches.frame) {
			touches = p
		}
	}
	e.frame, e.timeNs = touches.frame, touches.timeNs
}

// hullSlope is the slope of the lower convex hull of points.
func (e *envelope) hullSlope(points []point) float64 {
	e.hull = e.hull[:0]
	for _, p := range points {
		for n := len(e.hull); n >= 2 && slope(e.hull[n-2], p) <= slope(e.hull[n-2], e.hull[n-1]); n-- {
			e.hull = e.hull[:n-1]
		}
		e.hull = append(e.hull, p)
	}
	first, last := e.hull[0].frame, e.hull[len(e.hull)-1].frame
	// The first term of the mean is an edge that nobody measured: the nominal rate, with
	// the weight of an edge of acquisitionNs. It is a prior. As long as the hull is
	// shorter than that, the estimate shrinks to the nominal rate, since two points that
	// are close together say little; a hull of a second outweighs it 20,000 times.
	weights := math.Pow(acquisitionNs/e.nominalNs, 4)
	sum := weights * e.nominalNs
	for i, b := range e.hull[1:] {
		a := e.hull[i]
		span := float64(b.frame - a.frame)
		// Edges at both ends count less: whether they lie on the envelope is not known
		// yet, or not known any more.
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
func (e *envelope) shift(ns float64) {
	e.timeNs += ns
	for i := range e.points {
		e.points[i].timeNs += ns
	}
}

// hypothesise shifts the line by a step that nothing but the points tells of. It can be
// retracted.
func (e *envelope) hypothesise(ns float64) {
	e.shift(ns)
	for i := range e.points {
		e.points[i].hypothesisedNs += ns
	}
}

// retract takes the hypothesised steps back if with them the clock has a drift that is not
// likely, and without them a smaller one: then the points were late for a while and their
// clock did not step. It returns the largest of these steps in nanoseconds; 0 means that
// they stand.
func (e *envelope) retract() (largestNs float64) {
	offBy := math.Abs(e.nsPerFrame - e.nominalNs)
	if offBy < e.nominalNs*likelyDrift {
		return 0
	}
	unmoved := make([]point, len(e.points))
	newer := 0.0
	for i := len(e.points) - 1; i >= 0; i-- {
		p := e.points[i]
		largestNs = math.Max(largestNs, math.Abs(p.hypothesisedNs-newer))
		newer = p.hypothesisedNs
		unmoved[i] = point{frame: p.frame, timeNs: p.timeNs - p.hypothesisedNs}
	}
	if largestNs == 0 || math.Abs(e.hullSlope(unmoved)-e.nominalNs) >= offBy {
		return 0
	}
	e.points = unmoved
	e.fit()
	return largestNs
}

// frameAt is the frame, with its fraction, at a time; relative to base to keep it small.
func (e *envelope) frameAt(relativeNs float64, base int64) float64 {
	return float64(e.frame-base) + (relativeNs-e.timeNs)/e.nsPerFrame
}

// timeOf is the time of a frame, relative to originNs.
func (e *envelope) timeOf(frame int64) float64 {
	return e.timeNs + float64(frame-e.frame)*e.nsPerFrame
}

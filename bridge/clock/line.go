package clock

import "math"

// line is a delay-locked loop of second order that relates frames of one clock
// to CLOCK_MONOTONIC: the straight line through noisy (frame, time) pairs
// (Adriaensen, "Using a DLL to filter time", LAC 2005). Its bandwidth falls with
// the time observed, as a regression's would, down to a floor.
type line struct {
	nominalNs  float64 // ns per frame by the nominal rate
	nsPerFrame float64
	frame      int64   // the line passes through (frame, timeNs)
	timeNs     float64 // relative to originNs: keeps double precision for years
	originNs   int64
	seenNs     float64 // time observed since the start
	spreadNs   float64 // mean absolute error, slowly averaged
	started    bool
}

const (
	startBandwidthHz = 0.6 // divided by the seconds observed
	floorBandwidthHz = 0.02
	// A single error counts as at most this multiple of the usual one, so that
	// one late wake-up hardly moves the line.
	outlierSpread = 4.0
	leastSpreadNs = 5e3
	firstSpreadNs = 100e3
	spreadSeconds = 2.0
)

func newLine(rateHz int) line {
	ns := 1e9 / float64(rateHz)
	return line{nominalNs: ns, nsPerFrame: ns, spreadNs: firstSpreadNs}
}

// start puts the line through one point, at the nominal rate.
func (l *line) start(frame, timeNs int64) {
	l.frame, l.originNs, l.timeNs = frame, timeNs, 0
	l.seenNs, l.started = 0, true
	l.nsPerFrame = l.nominalNs
}

// errorNs is how late timeNs is for the frame.
func (l *line) errorNs(frame, timeNs int64) float64 {
	return float64(timeNs-l.originNs) - l.timeNs - float64(frame-l.frame)*l.nsPerFrame
}

// update moves the line towards a point and returns the point's error before.
func (l *line) update(frame, timeNs int64) float64 {
	spanNs := float64(frame-l.frame) * l.nsPerFrame
	errNs := l.errorNs(frame, timeNs)
	if spanNs <= 0 {
		return errNs
	}
	l.seenNs += spanNs
	seconds := spanNs * 1e-9
	bounded := math.Abs(errNs)
	l.spreadNs += (bounded - l.spreadNs) * math.Min(1, seconds/spreadSeconds)
	limit := outlierSpread * math.Max(l.spreadNs, leastSpreadNs)
	bounded = math.Copysign(math.Min(bounded, limit), errNs)

	bandwidthHz := math.Max(floorBandwidthHz, startBandwidthHz/math.Max(l.seenNs*1e-9, 0.05))
	w := math.Min(2*math.Pi*bandwidthHz*seconds, 0.5)
	l.timeNs += spanNs + math.Sqrt2*w*bounded
	l.frame = frame
	l.nsPerFrame += w * w * bounded / float64(max(1, int64(spanNs/l.nsPerFrame)))
	// No audio clock is further off than this.
	l.nsPerFrame = math.Min(math.Max(l.nsPerFrame, l.nominalNs*(1-maxDrift)), l.nominalNs*(1+maxDrift))
	return errNs
}

// settle puts a young line through a point that is earlier than it: nothing
// arrives early, so the line began at a late one.
func (l *line) settle(errNs float64) {
	if errNs < 0 && l.seenNs < settleNs {
		l.timeNs += errNs
	}
}

// shift moves the line in time and leaves its slope.
func (l *line) shift(ns float64) { l.timeNs += ns }

// frameAt is the frame, with fraction, at a time; relative to base to keep it small.
func (l *line) frameAt(relativeNs float64, base int64) float64 {
	return float64(l.frame-base) + (relativeNs-l.timeNs)/l.nsPerFrame
}

// timeOf is the time of a frame relative to the line's origin.
func (l *line) timeOf(frame int64) float64 {
	return l.timeNs + float64(frame-l.frame)*l.nsPerFrame
}

package signal

import (
	"encoding/json"
	"math"
	"slices"
)

// Kind says what a gap is.
type Kind int

// The kinds of Gap, the gravest first.
const (
	Silence  Kind = iota // the sound stood still at zero for four frames or more
	Missing              // frames are missing: the phase jumped ahead
	Repeated             // frames came twice: the phase jumped back
	Dip                  // the level sagged or rose; the phase went on
	Click                // a few wrong samples; the phase went on
)

var kindNames = [...]string{"silence", "missing", "repeated", "dip", "click"}

// String returns the kind's name in lower case.
func (k Kind) String() string { return kindNames[k] }

// MarshalJSON writes the kind's name.
func (k Kind) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// Gap is one discontinuity of a sine.
type Gap struct {
	// StartFrame is good to a few frames where samples jump, to 64 for a
	// silence, to 250 where the damage was smoothed over.
	StartFrame   int  `json:"start_frame"`
	LengthFrames int  `json:"length_frames"` // of the damage that is seen; a sudden jump has 1 to 3
	Kind         Kind `json:"kind"`
	// SizeFrames is the jump of the phase: positive frames are missing, negative
	// ones came twice. A jump by whole cycles of the tone cannot be seen, so it
	// lies within half a cycle, plus or minus. 0 where the sound ends in the gap.
	SizeFrames float64 `json:"size_frames"`
}

const (
	// One stretch of the amplitude and phase search.
	gapWindow = 256
	gapHop    = 32
	// Faults nearer to each other than this are one gap.
	gapMerge = 256
	// A change of level by 1 % is a dip: nothing on the way has a volume control.
	dipTolerance = 0.01
	// A phase jump in frames, small enough for half a frame, large enough for a
	// resampler that slews its ratio by 100 ppm within a few milliseconds.
	jumpFrames = 0.3
	// Damage reaches this much further than where it is seen: a resampler's filter.
	guard = 16
	// Below -80 dBFS there is no tone to judge.
	gapMinAmplitude = 1e-4
	gapMinFrames    = 4 * gapWindow
)

// Gaps finds every discontinuity of a recorded sine of hz: frames missing or
// repeated, down to one, dips, silences, clicks. It is meant for 200 Hz to
// 4 kHz. The sine may come through 16 or 24 bits and a resampler whose ratio
// strays by 500 ppm and changes slowly. Sound without the tone throughout, or
// shorter than 1024 frames, is one silence from end to end: it proves nothing.
// The caller leaves out silence before and after.
//
// Three searches complete each other. The residual of the sine predictor
// x[n] - 2 cos(w) x[n-1] + x[n-2] is zero on any sine of that pitch and shows a
// wrong sample or a hard jump at its very frame. A fitted amplitude shows fades.
// A line through the fitted phases before and one after shows jumps that were
// smoothed over.
func Gaps(samples []float32, rateHz int, hz float64) []Gap {
	s := &gapSearch{samples: samples, w: 2 * math.Pi * hz / float64(rateHz)}
	if len(samples) < gapMinFrames {
		return []Gap{{0, len(samples), Silence, 0}}
	}
	s.fitAll()
	if s.level < gapMinAmplitude {
		return []Gap{{0, len(samples), Silence, 0}}
	}
	exact := s.wrongSamples()
	damage := merge(append(withoutNear(s.wrongLevels(), exact), exact...))
	damage = merge(append(damage, s.smoothJumps(damage)...))
	gaps := make([]Gap, 0, len(damage))
	for i, d := range damage {
		previous, next := span{-guard, -guard}, span{len(samples) + guard, len(samples) + guard}
		if i > 0 {
			previous = damage[i-1]
		}
		if i+1 < len(damage) {
			next = damage[i+1]
		}
		gaps = append(gaps, s.judge(d, previous, next))
	}
	return gaps
}

// gapSearch is the work on one recording.
type gapSearch struct {
	samples []float32
	w       float64   // rad per frame
	fits    []sineFit // phase relative to w; the k-th is centred at centre(k)
	level   float64   // the tone's amplitude where nothing is wrong
}

func centre(k int) int { return k*gapHop + gapWindow/2 }

func (s *gapSearch) fitAll() {
	f := newFitter(s.w, gapWindow)
	amplitudes := []float64{}
	for at := 0; at+gapWindow <= len(s.samples); at += gapHop {
		fit := f.fit(s.samples[at:])
		fit.phase -= s.w * (float64(at) + f.centre)
		s.fits = append(s.fits, fit)
		amplitudes = append(amplitudes, fit.amplitude)
	}
	// Above the median: a recording may be mostly silence.
	s.level = quantile(amplitudes, 0.75)
}

// wrongSamples finds samples that do not follow from the two before them.
func (s *gapSearch) wrongSamples() []span {
	k := 2 * math.Cos(s.w)
	residual := func(n int) float64 {
		return math.Abs(float64(s.samples[n]) - k*float64(s.samples[n-1]) + float64(s.samples[n-2]))
	}
	var noise []float64
	for n := 2; n < len(s.samples); n += 7 {
		noise = append(noise, residual(n))
	}
	// One frame lost where the sine is flattest, its peak, leaves a residual of
	// amplitude * w^2 / 2. A third of that finds it; eight sigma of the usual
	// residual keeps noise out.
	threshold := max(0.15*s.level*min(s.w*s.w, 0.02), 8*1.4826*median(noise))
	var found []span
	for n := 2; n < len(s.samples); n++ {
		if !(residual(n) <= threshold) { // so that NaN is found
			found = append(found, span{n, n + 1})
		}
	}
	return merge(found)
}

// wrongLevels finds stretches whose amplitude is off.
func (s *gapSearch) wrongLevels() []span {
	var found []span
	for k := 0; k < len(s.fits); k++ {
		first := k
		for k < len(s.fits) && !(math.Abs(s.fits[k].amplitude/s.level-1) <= dipTolerance) {
			k++
		}
		if k == first {
			continue
		}
		// A window shows damage anywhere in its middle half: take that half off
		// both ends.
		d := span{centre(first) + gapWindow/4, centre(k-1) - gapWindow/4}
		if d.end <= d.start {
			middle := (centre(first) + centre(k-1)) / 2
			d = span{middle, middle + 1}
		}
		if first == 0 {
			d.start = 0
		}
		if k == len(s.fits) {
			d.end = len(s.samples)
		}
		found = append(found, d)
	}
	return found
}

// smoothJumps finds phase jumps that neither of the other searches shows,
// where the windows around are well away from known damage. Two within 960 frames are
// one: a jump raises lesser peaks of this measure that far away on both sides.
func (s *gapSearch) smoothJumps(damage []span) []span {
	const apart, reach, clear = 6, 22, 30 // in hops: lines from 6 to 22 hops away on both sides
	jumps := make([]float64, len(s.fits))
	next := 0
	for k := reach; k+reach < len(s.fits); k++ {
		low, high := centre(k-reach)-gapWindow/2, centre(k+reach)+gapWindow/2
		for next < len(damage) && damage[next].end+gapMerge <= low {
			next++
		}
		if next == len(damage) || damage[next].start-gapMerge >= high {
			before := s.line(k-reach, k-apart).at(float64(k))
			after := s.line(k+apart, k+reach).at(float64(k))
			jumps[k] = math.Abs(wrap(after - before))
		}
	}
	var found []span
	for k := 0; k < len(jumps); k++ {
		around := jumps[max(0, k-clear):min(len(jumps), k+clear)]
		if jumps[k] > jumpFrames*s.w && jumps[k] == slices.Max(around) {
			found = append(found, span{centre(k), centre(k) + 1})
			k += clear
		}
	}
	return found
}

// judge sizes and names one stretch of damage, between its neighbours.
func (s *gapSearch) judge(d, previous, next span) Gap {
	gap := Gap{StartFrame: d.start, LengthFrames: d.end - d.start}
	gap.SizeFrames = s.jump(d, previous, next) / s.w
	switch {
	case s.standsStill(d):
		gap.Kind = Silence
	case gap.SizeFrames > jumpFrames:
		gap.Kind = Missing
	case gap.SizeFrames < -jumpFrames:
		gap.Kind = Repeated
	case d.end-d.start > gapWindow/4:
		gap.Kind = Dip
	default:
		gap.Kind = Click
	}
	return gap
}

// jump returns by how much the phase differs after d from what it was before,
// from the windows that touch no damage. Of damage smoothed over, only an edge
// may be known: first it keeps well away from d, then, where a neighbour leaves
// no room for that, as near as a resampler's filter allows.
func (s *gapSearch) jump(d, previous, next span) float64 {
	for _, away := range []int{gapMerge, guard} {
		if jump, ok := s.jumpBeside(d, previous, next, away); ok {
			return jump
		}
	}
	return 0
}

func (s *gapSearch) jumpBeside(d, previous, next span, away int) (rad float64, ok bool) {
	const most = 24 // windows in a line
	// Window k covers the frames k*gapHop to k*gapHop+gapWindow.
	room := d.start - away - gapWindow
	if room < 0 {
		return 0, false
	}
	lastBefore := room / gapHop
	firstBefore := max(0, lastBefore-most, (previous.end+guard+gapHop-1)/gapHop)
	firstAfter := (d.end + away + gapHop - 1) / gapHop
	lastAfter := min(len(s.fits)-1, firstAfter+most, (next.start-guard-gapWindow)/gapHop)
	if firstBefore > lastBefore || firstAfter > lastAfter {
		return 0, false
	}
	middle := float64((d.start+d.end)/2-gapWindow/2) / gapHop
	return wrap(s.line(firstAfter, lastAfter).at(middle) - s.line(firstBefore, lastBefore).at(middle)), true
}

// standsStill says whether four successive samples are at zero; a sine passes
// there in one or two.
func (s *gapSearch) standsStill(d span) bool {
	run := 0
	for _, x := range s.samples[max(0, d.start-2):min(len(s.samples), d.end+2)] {
		if math.Abs(float64(x)) < 0.02*s.level*min(1, s.w*20) {
			run++
		} else {
			run = 0
		}
		if run >= 4 {
			return true
		}
	}
	return false
}

// phaseLine is a straight line through phases, over the window's number.
type phaseLine struct{ middle, mean, slope float64 }

func (l phaseLine) at(k float64) float64 { return l.mean + l.slope*(k-l.middle) }

// line fits the phases of the windows first to last. Fewer than 12 tell the
// mean only: their slope would be noise where damage is near.
func (s *gapSearch) line(first, last int) phaseLine {
	l := phaseLine{middle: float64(first+last) / 2}
	n := float64(last - first + 1)
	reference := s.fits[first].phase
	unwrapped := 0.0
	var sum, cross, spread float64
	for k := first; k <= last; k++ {
		unwrapped += wrap(s.fits[k].phase - reference - unwrapped)
		distance := float64(k) - l.middle
		sum += unwrapped
		cross += distance * unwrapped
		spread += distance * distance
	}
	l.mean = reference + sum/n
	if n >= 12 {
		l.slope = cross / spread
	}
	return l
}

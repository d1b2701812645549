package recording

import (
	"math"
	"slices"
)

// stepNs is how much less or more than usual the earliest cycle of a second may
// lie behind that of the second before. Beyond it the server has moved its grid,
// by less than counts as lost time.
const stepNs = 50e3

// FrameRate returns how many frames the server plays in a second of the true
// clock, 0 when there are too few cycles to tell. Time that the server lost is
// left out: it says nothing about its clock. A cycle can be late and never early,
// so the earliest one of each second stands for the second; 60 s tell the rate to
// a few millionths where one cycle in a second is on time to 0.1 ms.
func (r *Recording) FrameRate() float64 {
	var stretches [][]point
	var points []point
	lost := map[int]bool{}
	for _, loss := range r.Losses() {
		lost[loss.Frame] = true
	}
	frames := 0
	for _, cycle := range r.Cycles {
		if lost[frames] {
			stretches, points = append(stretches, earliest(points, r.RateHz)), nil
		}
		points = append(points, point{float64(frames), float64(cycle.MonotonicNs - r.Cycles[0].MonotonicNs)})
		frames += int(cycle.Frames)
	}
	stretches = append(stretches, earliest(points, r.RateHz))

	var cross, spread float64 // of frames against nanoseconds
	for _, stretch := range withoutSteps(stretches) {
		c, s := slopeParts(stretch)
		cross, spread = cross+c, spread+s
	}
	if cross <= 0 {
		return 0
	}
	return 1e9 * spread / cross
}

// withoutSteps cuts stretches where their slope is not the usual one.
func withoutSteps(stretches [][]point) [][]point {
	var slopes []float64
	for _, s := range stretches {
		for i := 1; i < len(s); i++ {
			slopes = append(slopes, s[i].slopeFrom(s[i-1]))
		}
	}
	if len(slopes) == 0 {
		return nil
	}
	slices.Sort(slopes)
	usual := slopes[len(slopes)/2]
	var whole [][]point
	for _, s := range stretches {
		from := 0
		for i := 1; i < len(s); i++ {
			if math.Abs(s[i].slopeFrom(s[i-1])-usual)*(s[i].frame-s[i-1].frame) > stepNs {
				whole, from = append(whole, s[from:i]), i
			}
		}
		whole = append(whole, s[from:])
	}
	return whole
}

type point struct{ frame, ns float64 }

// slopeFrom is in nanoseconds per frame.
func (p point) slopeFrom(q point) float64 { return (p.ns - q.ns) / (p.frame - q.frame) }

// earliest returns the cycle of each second that was least late.
func earliest(points []point, rateHz int) []point {
	var best []point
	nsPerFrame := 1e9 / float64(rateHz)
	for i, second := 0, -1; i < len(points); i++ {
		at := int(points[i].frame-points[0].frame) / rateHz
		lateness := func(p point) float64 { return p.ns - p.frame*nsPerFrame }
		if at != second {
			best, second = append(best, points[i]), at
		} else if lateness(points[i]) < lateness(best[len(best)-1]) {
			best[len(best)-1] = points[i]
		}
	}
	return best
}

// slopeParts returns the sums whose quotient is the slope of a line through the
// points (least squares).
func slopeParts(points []point) (cross, spread float64) {
	var middle point
	for _, p := range points {
		middle.frame += p.frame / float64(len(points))
		middle.ns += p.ns / float64(len(points))
	}
	for _, p := range points {
		cross += (p.frame - middle.frame) * (p.ns - middle.ns)
		spread += (p.frame - middle.frame) * (p.frame - middle.frame)
	}
	return cross, spread
}

package recording

// FrameRate returns how many frames the server has played in a second of the
// true clock, 0 when there are too few cycles to tell. Time that the server lost
// is left out: it says nothing about its clock. A cycle can be late and never
// early, so the earliest one of each second stands for the second; 60 s tell the
// rate to a few millionths where one cycle in a second is on time to 0.1 ms.
func (r *Recording) FrameRate() float64 {
	var cross, spread float64 // of frames against nanoseconds, summed over stretches without a loss
	lost := map[int]bool{}
	for _, loss := range r.Losses() {
		lost[loss.Frame] = true
	}
	var stretch []point
	end := func() {
		c, s := slopeParts(earliest(stretch, r.RateHz))
		cross, spread, stretch = cross+c, spread+s, nil
	}
	frames := 0
	for _, cycle := range r.Cycles {
		if lost[frames] {
			end()
		}
		stretch = append(stretch, point{float64(frames), float64(cycle.MonotonicNs - r.Cycles[0].MonotonicNs)})
		frames += int(cycle.Frames)
	}
	end()
	if spread == 0 || cross <= 0 {
		return 0
	}
	return 1e9 * spread / cross
}

type point struct{ frame, ns float64 }

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

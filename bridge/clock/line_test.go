package clock

import (
	"math"
	"math/rand/v2"
	"testing"
)

const (
	testRate   = 48000
	testPeriod = 64
)

// points feeds a line one point per 32 periods for a time: true ns per frame, and
// how late each point is.
func points(l *line, frame int64, timeNs, nsPerFrame, seconds float64, lateNs func() float64) (int64, float64) {
	for end := timeNs + seconds*1e9; timeNs < end; {
		frame += 32 * testPeriod
		timeNs += 32 * testPeriod * nsPerFrame
		l.update(frame, int64(math.Round(timeNs+lateNs())))
	}
	return frame, timeNs
}

func punctual() float64 { return 0 }

func TestLineFindsTheRateOfAClock(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, ppm := range []float64{-1000, -50, 0, 3, 1000} {
		l := newLine(testRate)
		l.start(1000, 5e9)
		points(&l, 1000, 5e9, l.nominalNs*(1+ppm*1e-6), 120, func() float64 { return r.ExpFloat64() * 20e3 })
		if got := (l.nsPerFrame/l.nominalNs - 1) * 1e6; math.Abs(got-ppm) > 0.5 {
			t.Errorf("%+.0f ppm: found %.2f", ppm, got)
		}
	}
}

func TestLineIsHardlyMovedByOneOutlier(t *testing.T) {
	l := newLine(testRate)
	l.start(0, 0)
	frame, timeNs := points(&l, 0, 0, l.nominalNs, 30, punctual)
	slope := l.nsPerFrame
	late := l.update(frame+testPeriod, int64(timeNs+testPeriod*l.nominalNs+15e6))
	if math.Abs(late-15e6) > 1e3 {
		t.Errorf("the point counts as %.0f ns late, want 15 ms", late)
	}
	if moved := l.errorNs(frame+2*testPeriod, int64(timeNs+2*testPeriod*l.nominalNs)); math.Abs(moved) > 1e3 {
		t.Errorf("the line moved by %.0f ns", moved)
	}
	if change := math.Abs(l.nsPerFrame/slope-1) * 1e6; change > 0.01 {
		t.Errorf("the slope changed by %.3f ppm", change)
	}
}

func TestALateFirstPointDoesNotKeepTheLineLate(t *testing.T) {
	l := newLine(testRate)
	l.start(0, 3e6) // 3 ms late
	errNs := math.Inf(1)
	for frame := int64(testPeriod); frame < testRate*3/2; frame += testPeriod {
		errNs = l.update(frame, int64(float64(frame)*l.nominalNs))
		if frame > testRate/2 && math.Abs(errNs) > 10e3 {
			t.Fatalf("frame %d: a punctual point is %.1f us off", frame, errNs/1e3)
		}
	}
	if change := (l.nsPerFrame/l.nominalNs - 1) * 1e6; math.Abs(change) > 1 {
		t.Errorf("the slope is off by %.2f ppm", change)
	}
}

// As on a virtual machine whose host is busy: not even the earliest is punctual.
func TestPointsThatAreAllLateForAWhileLeaveTheLine(t *testing.T) {
	l := newLine(testRate)
	l.start(0, 0)
	frame, timeNs := points(&l, 0, 0, l.nominalNs, 70, punctual)
	frame, timeNs = points(&l, frame, timeNs, l.nominalNs, 15, func() float64 { return 60e3 })
	if off := l.errorNs(frame, int64(timeNs)); math.Abs(off) > 5e3 {
		t.Errorf("15 s of them moved the line by %.1f us", off/1e3)
	}
	if change := (l.nsPerFrame/l.nominalNs - 1) * 1e6; math.Abs(change) > 0.3 {
		t.Errorf("the slope changed by %.3f ppm", change)
	}
}

func TestOnePointThatIsFarTooEarlyHardlyMovesTheLine(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	l := newLine(testRate)
	l.start(0, 0)
	frame, timeNs := points(&l, 0, 0, l.nominalNs, 30, func() float64 { return r.ExpFloat64() * 5e3 })
	frame, timeNs = points(&l, frame, timeNs, l.nominalNs, 0.01, func() float64 { return -5e6 })
	if off := l.errorNs(frame, int64(timeNs)); math.Abs(off) > 4*8e3 {
		t.Errorf("5 ms too early once, and the line is %.1f us off", off/1e3)
	}
}

func TestTheLineKeepsUpWithADriftThatChanges(t *testing.T) {
	for _, ppmPerMinute := range []float64{-1, 1} {
		l := newLine(testRate)
		l.start(0, 0)
		frame, timeNs := int64(0), 0.0
		least, most := math.Inf(1), math.Inf(-1)
		for second := range 600 {
			frame, timeNs = points(&l, frame, timeNs, l.nominalNs*(1+ppmPerMinute*1e-6*float64(second)/60), 1, punctual)
			if second > 60 {
				off := l.errorNs(frame, int64(timeNs))
				least, most = min(least, off), max(most, off)
			}
		}
		if least < -10e3 || most > 10e3 {
			t.Errorf("%+.0f ppm a minute: punctual points were %.1f to %.1f us off the line", ppmPerMinute, least/1e3, most/1e3)
		}
	}
}

func TestLineFollowsNoClockThatIsImpossiblyFast(t *testing.T) {
	for _, factor := range []float64{0.9, 1.1} {
		l := newLine(testRate)
		l.start(0, 0)
		points(&l, 0, 0, l.nominalNs*factor, 20, punctual)
		if off := math.Abs(l.nsPerFrame/l.nominalNs - 1); off > maxDrift*1.000001 {
			t.Errorf("factor %.1f: the slope is off by %.4f, limit %.4f", factor, off, maxDrift)
		}
	}
}

func TestPointThatIsNotLaterChangesNothing(t *testing.T) {
	l := newLine(testRate)
	l.start(1000, 0)
	points(&l, 1000, 0, l.nominalNs, 1, punctual)
	newest := l.points[len(l.points)-1].frame
	n, passes, slope := len(l.points), l.timeOf(newest), l.nsPerFrame
	l.update(newest, 7e9)
	l.update(newest-testPeriod, 7e9)
	if len(l.points) != n || l.timeOf(newest) != passes || l.nsPerFrame != slope {
		t.Error("the line moved")
	}
}

func TestLineThatStartsAgainForgetsItsSlope(t *testing.T) {
	l := newLine(testRate)
	l.start(0, 0)
	points(&l, 0, 0, l.nominalNs*1.001, 10, punctual)
	l.start(77, 99e9)
	if l.nsPerFrame != l.nominalNs || l.seenNs != 0 || l.errorNs(77, 99e9) != 0 {
		t.Errorf("slope %v, seen %v, error %v", l.nsPerFrame, l.seenNs, l.errorNs(77, 99e9))
	}
}

func TestLineKeepsItsPrecisionForAYear(t *testing.T) {
	l := newLine(testRate)
	const year = int64(365 * 24 * 3600)
	l.start(5, 123)
	l.frame += year * testRate
	l.timeNs = float64(year) * 1e9
	if got := l.frameAt(l.timeOf(l.frame+100), l.frame); math.Abs(got-100) > 0.01 {
		t.Errorf("frame 100 comes back as %v", got)
	}
}

func TestLineCrossesTheEndOfInt64(t *testing.T) {
	l := newLine(testRate)
	var start int64 = math.MaxInt64 - 1000
	l.start(start, 0)
	frame := start
	for i := range 100 {
		frame += testPeriod // wraps
		errNs := l.update(frame, int64(float64(i+1)*testPeriod*l.nominalNs))
		if math.Abs(errNs) > 10 {
			t.Fatalf("point %d is %.0f ns off", i, errNs)
		}
	}
}

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

// points feeds an envelope one point per 32 periods for a time: true ns per frame, and
// how late each point is.
func points(e *envelope, frame int64, timeNs, nsPerFrame, seconds float64, lateNs func() float64) (int64, float64) {
	for end := timeNs + seconds*1e9; timeNs < end; {
		frame += 32 * testPeriod
		timeNs += 32 * testPeriod * nsPerFrame
		e.update(frame, int64(math.Round(timeNs+lateNs())))
	}
	return frame, timeNs
}

func punctual() float64 { return 0 }

func TestEnvelopeFindsTheRateOfAClock(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, ppm := range []float64{-1000, -50, 0, 3, 1000} {
		e := newEnvelope(testRate)
		e.start(1000, 5e9)
		points(&e, 1000, 5e9, e.nominalNs*(1+ppm*1e-6), 120, func() float64 { return r.ExpFloat64() * 20e3 })
		if got := (e.nsPerFrame/e.nominalNs - 1) * 1e6; math.Abs(got-ppm) > 0.5 {
			t.Errorf("%+.0f ppm: found %.2f", ppm, got)
		}
	}
}

func TestEnvelopeIsHardlyMovedByOneOutlier(t *testing.T) {
	e := newEnvelope(testRate)
	e.start(0, 0)
	frame, timeNs := points(&e, 0, 0, e.nominalNs, 30, punctual)
	slope := e.nsPerFrame
	late := e.update(frame+testPeriod, int64(timeNs+testPeriod*e.nominalNs+15e6))
	if math.Abs(late-15e6) > 1e3 {
		t.Errorf("the point counts as %.0f ns late, want 15 ms", late)
	}
	if moved := e.residualNs(frame+2*testPeriod, int64(timeNs+2*testPeriod*e.nominalNs)); math.Abs(moved) > 1e3 {
		t.Errorf("the envelope moved by %.0f ns", moved)
	}
	if change := math.Abs(e.nsPerFrame/slope-1) * 1e6; change > 0.01 {
		t.Errorf("the slope changed by %.3f ppm", change)
	}
}

func TestALateFirstPointDoesNotKeepTheEnvelopeLate(t *testing.T) {
	e := newEnvelope(testRate)
	e.start(0, 3e6) // 3 ms late
	errNs := math.Inf(1)
	for frame := int64(testPeriod); frame < testRate*3/2; frame += testPeriod {
		errNs = e.update(frame, int64(float64(frame)*e.nominalNs))
		if frame > testRate/2 && math.Abs(errNs) > 10e3 {
			t.Fatalf("frame %d: a punctual point is %.1f us off", frame, errNs/1e3)
		}
	}
	if change := (e.nsPerFrame/e.nominalNs - 1) * 1e6; math.Abs(change) > 1 {
		t.Errorf("the slope is off by %.2f ppm", change)
	}
}

// As on a virtual machine whose host is busy: not even the earliest is punctual.
func TestPointsThatAreAllLateForAWhileLeaveTheEnvelope(t *testing.T) {
	e := newEnvelope(testRate)
	e.start(0, 0)
	frame, timeNs := points(&e, 0, 0, e.nominalNs, 70, punctual)
	frame, timeNs = points(&e, frame, timeNs, e.nominalNs, 15, func() float64 { return 60e3 })
	if off := e.residualNs(frame, int64(timeNs)); math.Abs(off) > 5e3 {
		t.Errorf("15 s of them moved the envelope by %.1f us", off/1e3)
	}
	if change := (e.nsPerFrame/e.nominalNs - 1) * 1e6; math.Abs(change) > 0.3 {
		t.Errorf("the slope changed by %.3f ppm", change)
	}
}

func TestOnePointThatIsFarTooEarlyHardlyMovesTheEnvelope(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	e := newEnvelope(testRate)
	e.start(0, 0)
	frame, timeNs := points(&e, 0, 0, e.nominalNs, 30, func() float64 { return r.ExpFloat64() * 5e3 })
	frame, timeNs = points(&e, frame, timeNs, e.nominalNs, 0.01, func() float64 { return -5e6 })
	if off := e.residualNs(frame, int64(timeNs)); math.Abs(off) > 4*8e3 {
		t.Errorf("5 ms too early once, and the envelope is %.1f us off", off/1e3)
	}
}

func TestTheEnvelopeKeepsUpWithADriftThatChanges(t *testing.T) {
	for _, ppmPerMinute := range []float64{-1, 1} {
		e := newEnvelope(testRate)
		e.start(0, 0)
		frame, timeNs := int64(0), 0.0
		least, most := math.Inf(1), math.Inf(-1)
		for second := range 600 {
			frame, timeNs = points(&e, frame, timeNs, e.nominalNs*(1+ppmPerMinute*1e-6*float64(second)/60), 1, punctual)
			if second > 60 {
				off := e.residualNs(frame, int64(timeNs))
				least, most = min(least, off), max(most, off)
			}
		}
		if least < -10e3 || most > 10e3 {
			t.Errorf("%+.0f ppm a minute: punctual points were %.1f to %.1f us off the envelope", ppmPerMinute, least/1e3, most/1e3)
		}
	}
}

func TestEnvelopeFollowsNoClockThatIsImpossiblyFast(t *testing.T) {
	for _, factor := range []float64{0.9, 1.1} {
		e := newEnvelope(testRate)
		e.start(0, 0)
		points(&e, 0, 0, e.nominalNs*factor, 20, punctual)
		if off := math.Abs(e.nsPerFrame/e.nominalNs - 1); off > maxDrift*1.000001 {
			t.Errorf("factor %.1f: the slope is off by %.4f, limit %.4f", factor, off, maxDrift)
		}
	}
}

func TestPointThatIsNotLaterChangesNothing(t *testing.T) {
	e := newEnvelope(testRate)
	e.start(1000, 0)
	points(&e, 1000, 0, e.nominalNs, 1, punctual)
	newest := e.points[len(e.points)-1].frame
	n, passes, slope := len(e.points), e.timeOf(newest), e.nsPerFrame
	e.update(newest, 7e9)
	e.update(newest-testPeriod, 7e9)
	if len(e.points) != n || e.timeOf(newest) != passes || e.nsPerFrame != slope {
		t.Error("the envelope moved")
	}
}

func TestEnvelopeThatStartsAgainForgetsItsSlope(t *testing.T) {
	e := newEnvelope(testRate)
	e.start(0, 0)
	points(&e, 0, 0, e.nominalNs*1.001, 10, punctual)
	e.start(77, 99e9)
	if e.nsPerFrame != e.nominalNs || e.observedNs != 0 || e.residualNs(77, 99e9) != 0 {
		t.Errorf("slope %v, seen %v, error %v", e.nsPerFrame, e.observedNs, e.residualNs(77, 99e9))
	}
}

func TestEnvelopeKeepsItsPrecisionForAYear(t *testing.T) {
	e := newEnvelope(testRate)
	const year = int64(365 * 24 * 3600)
	e.start(5, 123)
	e.frame += year * testRate
	e.timeNs = float64(year) * 1e9
	if got := e.frameAt(e.timeOf(e.frame+100), e.frame); math.Abs(got-100) > 0.01 {
		t.Errorf("frame 100 comes back as %v", got)
	}
}

func TestEnvelopeCrossesTheEndOfInt64(t *testing.T) {
	e := newEnvelope(testRate)
	var start int64 = math.MaxInt64 - 1000
	e.start(start, 0)
	frame := start
	for i := range 100 {
		frame += testPeriod // wraps
		errNs := e.update(frame, int64(float64(i+1)*testPeriod*e.nominalNs))
		if math.Abs(errNs) > 10 {
			t.Fatalf("point %d is %.0f ns off", i, errNs)
		}
	}
}

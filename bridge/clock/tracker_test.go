package clock

import (
	"math"
	"math/rand/v2"
	"testing"
)

// trackPoints feeds a tracker one point per period.
func trackPoints(k *tracker, frame *int64, timeNs *float64, seconds, ppm float64, lateNs func() float64) {
	for end := *timeNs + seconds*1e9; *timeNs < end; {
		k.add(*frame, int64(*timeNs+lateNs()), false)
		*frame += testPeriod
		*timeNs += testPeriod * k.nominalNs / (1 + ppm*1e-6)
	}
}

// Twice the load makes points later on average, not the earliest of them.
func TestLoadDoesNotMoveTheEnvelope(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	meanNs := 30e3
	late := func() float64 { return 20e3 + r.ExpFloat64()*meanNs }
	k := newTracker(testRate)
	frame, timeNs := int64(0), 1e9
	trackPoints(&k, &frame, &timeNs, 60, 50, late)
	before := k.residualNs(frame, int64(timeNs+20e3))
	meanNs = 300e3
	trackPoints(&k, &frame, &timeNs, 60, 50, late)
	after := k.residualNs(frame, int64(timeNs+20e3))
	if math.Abs(before) > 10e3 || math.Abs(after-before) > 20e3 {
		t.Errorf("the earliest points are %.1f us off the envelope, with load %.1f us", before/1e3, after/1e3)
	}
}

func TestEnvelopeIsTightUnderJitter(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	k := newTracker(testRate)
	frame, timeNs := int64(0), 1e9
	late := func() float64 { return r.ExpFloat64() * 300e3 }
	trackPoints(&k, &frame, &timeNs, 60, -200, late)
	least, most := math.Inf(1), math.Inf(-1)
	for range 600 {
		trackPoints(&k, &frame, &timeNs, 1, -200, late)
		errNs := k.residualNs(frame, int64(timeNs))
		least, most = min(least, errNs), max(most, errNs)
	}
	if frames := (most - least) / k.nominalNs; frames > 0.3 {
		t.Errorf("the envelope wandered by %.2f frames in 10 minutes of 0.3 ms of jitter", frames)
	}
}

func TestOutliersTellNothing(t *testing.T) {
	k := newTracker(testRate)
	frame, timeNs := int64(0), 1e9
	trackPoints(&k, &frame, &timeNs, 1, 0, punctual)
	for i := range resetOutliers - 1 {
		if _, v := k.add(frame+48000, int64(timeNs), false); v != outlier {
			t.Fatalf("point %d: %v", i, v)
		}
	}
	if _, v := k.add(frame, int64(timeNs), false); v != followed {
		t.Errorf("a good point: %v", v)
	}
	for range resetOutliers - 1 {
		k.add(frame+48000, int64(timeNs), false)
	}
	if _, v := k.add(frame+48000, int64(timeNs), false); v != reset || k.residualNs(frame+48000, int64(timeNs)) != 0 {
		t.Errorf("after %d outliers: %v", resetOutliers, v)
	}
}

// Time was lost, and how much was seen only to 100 us: that is no drift.
func TestDiscontinuityMovesTheEnvelopeAndNotItsSlope(t *testing.T) {
	for _, discontinuity := range []bool{true, false} {
		k := newTracker(testRate)
		frame, timeNs := int64(0), 1e9
		trackPoints(&k, &frame, &timeNs, 20, 50, punctual)
		before := k.nsPerFrame
		frame += 1000
		timeNs += 1000*before + 100e3
		k.add(frame, int64(timeNs), discontinuity)
		trackPoints(&k, &frame, &timeNs, 1, 50, punctual)
		off, turned := k.residualNs(frame, int64(timeNs)), (k.nsPerFrame/before-1)*1e6
		if discontinuity != (math.Abs(off) < 1e3) || discontinuity && math.Abs(turned) > 0.01 {
			t.Errorf("discontinuity %v: the envelope is %.1f us off and %.3f ppm steeper", discontinuity, off/1e3, turned)
		}
	}
}

// The machine is busy for a second after a discontinuity: the first block is late as a whole.
func TestAnEarlierPointSoonAfterADiscontinuityMovesTheEnvelope(t *testing.T) {
	k := newTracker(testRate)
	frame, timeNs := int64(0), 1e9
	trackPoints(&k, &frame, &timeNs, 20, 50, punctual)
	slope := k.nsPerFrame
	timeNs += 70e3 // more was lost than the media clock says
	k.add(frame, int64(timeNs+60e3), true)
	frame += testPeriod
	timeNs += testPeriod * slope
	trackPoints(&k, &frame, &timeNs, 1, 50, func() float64 { return 60e3 })
	trackPoints(&k, &frame, &timeNs, 1, 50, punctual)
	if errNs := k.residualNs(frame, int64(timeNs)); math.Abs(errNs) > 2e3 {
		t.Errorf("two seconds after the discontinuity a punctual point is %.1f us off", errNs/1e3)
	}
	if change := (k.nsPerFrame/slope - 1) * 1e6; math.Abs(change) > 1 {
		t.Errorf("the slope changed by %.2f ppm", change)
	}
}

// A graph that has just started may count its first cycles twice. Two points are no slope to
// keep for half a second.
func TestADiscontinuityInAcquisitionLeavesNoSlopeFromTwoPoints(t *testing.T) {
	k := newTracker(testRate)
	k.add(0, 33e3, false)
	k.add(testPeriod, int64(testPeriod*k.nominalNs), false)
	frame, timeNs := int64(3*testPeriod), 3*testPeriod*k.nominalNs
	k.add(frame, int64(timeNs), true)
	worst := 0.0
	for range 500 {
		frame += testPeriod
		timeNs += testPeriod * k.nominalNs
		k.add(frame, int64(timeNs), false)
		worst = max(worst, math.Abs(k.nsPerFrame/k.nominalNs-1)*1e6)
	}
	if worst > 30 {
		t.Errorf("the slope was off by up to %.0f ppm", worst)
	}
}

// 100 us are too little for a step, and would stay for as long as the envelope touches its
// earliest points.
func TestASmallStepIsFollowedWithinSeconds(t *testing.T) {
	k := newTracker(testRate)
	frame, timeNs := int64(0), 1e9
	trackPoints(&k, &frame, &timeNs, 60, 50, punctual)
	before := k.nsPerFrame
	timeNs += 100e3
	trackPoints(&k, &frame, &timeNs, 3, 50, punctual)
	if errNs := k.residualNs(frame, int64(timeNs)); math.Abs(errNs) > 5e3 {
		t.Errorf("3 s after it a punctual point is %.1f us off", errNs/1e3)
	}
	if change := (k.nsPerFrame/before - 1) * 1e6; math.Abs(change) > 0.5 {
		t.Errorf("the slope changed by %.2f ppm", change)
	}
}

// On a path whose best packets of a second vary by 0.18 ms, late blocks say nothing.
func TestOnANoisyPathLateBlocksAreNoStep(t *testing.T) {
	k := newTracker(testRate)
	frame, timeNs := int64(0), 1e9
	r := rand.New(rand.NewPCG(1, 2))
	block, moved := 0.0, 0.0
	for i := range 120 * testRate / testPeriod {
		if i%(testRate/testPeriod) == 0 {
			block = 180e3 * r.Float64()
		}
		frame += testPeriod
		timeNs += testPeriod * k.nominalNs
		k.add(frame, int64(timeNs+block), false)
		if i > 30*testRate/testPeriod {
			moved = max(moved, -k.residualNs(frame, int64(timeNs)))
		}
	}
	if moved > 50e3 {
		t.Errorf("the envelope was late by %.0f us", moved/1e3)
	}
}

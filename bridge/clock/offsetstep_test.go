package clock

import (
	"math"
	"testing"
)

func TestPointsOnOneSideAreAStepOfTheSmallestOfThem(t *testing.T) {
	for _, side := range []float64{1, -1} {
		var d stepDetector
		for range 100 {
			if step := d.add(0, side*20e3); step != 0 {
				t.Fatalf("a step of %v without one", step)
			}
		}
		for i := range stepPoints {
			step := d.add(int64(i*2e6), side*(900e3+float64(i%5)*10e3))
			if want := side * 900e3; i == stepPoints-1 && step != want || i < stepPoints-1 && step != 0 {
				t.Errorf("point %d: step %v", i, step)
			}
		}
		if step := d.add(32e6, side*900e3); step != 0 {
			t.Errorf("another step of %v at once", step)
		}
	}
}

func TestOnePunctualPointAmongLateOnesIsNoStep(t *testing.T) {
	var d stepDetector
	for i := range 1000 {
		errNs := 900e3
		if i%stepPoints == stepPoints-1 {
			errNs = 30e3
		}
		if step := d.add(int64(i*2e6), errNs); step != 0 {
			t.Fatalf("point %d: step %v", i, step)
		}
	}
}

func TestNoiseOnBothSidesIsNoStep(t *testing.T) {
	var d stepDetector
	for i := range 10000 {
		if step := d.add(int64(i*2e6), math.Copysign(5e6, math.Sin(float64(i)))); step != 0 {
			t.Fatalf("point %d: step %v", i, step)
		}
	}
}

func TestANoisyNetworksErrorsAreNoStep(t *testing.T) {
	var d stepDetector
	for i := range 4000 {
		errNs := 1.5e6
		if i < 2000 {
			errNs = math.Copysign(1e6, math.Sin(float64(i)))
		}
		if step := d.add(int64(i*2e6), errNs); step != 0 {
			t.Fatalf("point %d: step %v, where the usual error is 1 ms", i, step)
		}
	}
}

// At short periods sixteen points are over before a media clock has corrected its
// count of lost time.
func TestPointsThatAreLateFor20msAreNoStepYet(t *testing.T) {
	var d stepDetector
	for range 100 {
		d.add(-1e6, 20e3)
	}
	for timeNs := int64(0); timeNs < 24e6; timeNs += 667e3 {
		if step := d.add(timeNs, 900e3); step != 0 {
			t.Fatalf("after %d ns: step %v", timeNs, step)
		}
	}
	if step := d.add(26e6, 900e3); step != 900e3 {
		t.Errorf("step %v after 26 ms", step)
	}
}

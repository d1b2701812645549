package report

import (
	"math/rand/v2"
	"testing"
)

func TestTransitIsNotKnownBeforeTheFirstMeasurement(t *testing.T) {
	if ns, errorNs, ok := new(transit).value(); ok {
		t.Errorf("%d +- %d", ns, errorNs)
	}
}

func TestTransitIgnoresAFewThatAreFarOff(t *testing.T) {
	var m transit
	for i := range 40 {
		if i%3 == 2 {
			m.add(900e3, 1e6)
		} else {
			m.add(100e3, 20e3)
		}
		if ns, errorNs, _ := m.value(); i > 2 && (ns != 100e3 || errorNs != 20e3) {
			t.Fatalf("after %d: %d +- %d", i+1, ns, errorNs)
		}
	}
}

func TestTransitFollowsANetworkThatChanged(t *testing.T) {
	var m transit
	for range 100 {
		m.add(1e6, 10e3)
	}
	for i := range transitSamples {
		m.add(2e6, 30e3)
		ns, errorNs, _ := m.value()
		if late := i+1 >= transitSamples/2; (ns == 2e6) != late || (errorNs == 30e3) != late {
			t.Errorf("%d measurements later: %d +- %d", i+1, ns, errorNs)
		}
	}
}

// Whatever the measurements are, when each is as right as it says, so is the median.
func TestTransitIsWithinItsErrorWhateverTheMeasurements(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const truth = 250e3
	for range 20000 {
		var m transit
		oneSided := r.IntN(3) == 0
		for range 1 + r.IntN(2*transitSamples) {
			errorNs := int64(10e3 * r.ExpFloat64() * r.ExpFloat64())
			off := errorNs // at its worst
			if !oneSided && r.IntN(2) == 0 {
				off = -off
			}
			m.add(truth+off, errorNs)
		}
		if ns, errorNs, _ := m.value(); ns-truth > errorNs || truth-ns > errorNs {
			t.Fatalf("off by %d, said to be within %d: %+v", ns-truth, errorNs, m)
		}
	}
}

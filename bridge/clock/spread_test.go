package clock

import "testing"

func TestQuantilesOfNothing(t *testing.T) {
	var s spread
	if q := s.quantiles(); q != (Quantiles{}) {
		t.Errorf("%+v", q)
	}
}

func TestQuantilesOfOneError(t *testing.T) {
	var s spread
	s.add(-5000)
	if q := s.quantiles(); q != (Quantiles{P50: 5, P99: 5, Max: 5}) {
		t.Errorf("%+v", q)
	}
}

func TestQuantilesAreOfAbsoluteErrorsInMicroseconds(t *testing.T) {
	var s spread
	for i := 999; i >= 0; i-- { // 0 to 999 us, early ones in between
		s.add(float64(i*1000) * float64(1-2*(i%2)))
	}
	if q := s.quantiles(); q != (Quantiles{P50: 500, P99: 990, Max: 999}) {
		t.Errorf("%+v", q)
	}
}

func TestQuantilesForgetOldErrors(t *testing.T) {
	var s spread
	s.add(9e9)
	for range len(s.ns) {
		s.add(1000)
	}
	if q := s.quantiles(); q != (Quantiles{P50: 1, P99: 1, Max: 1}) {
		t.Errorf("%+v", q)
	}
}

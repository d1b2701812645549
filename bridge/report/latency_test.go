package report

import (
	"math"
	"testing"
)

func TestCaptureIsTheMeanSendDelayThatTheSenderSays(t *testing.T) {
	var w oneWay
	w.observe(-1)
	if w.captureNs != 0 {
		t.Errorf("%v ns of nothing said", w.captureNs)
	}
	for i := range 20000 {
		w.observe(int64(100e3 + 50e3*(i%2)))
		w.observe(-1)
	}
	if math.Abs(w.captureNs-125e3) > 100 {
		t.Errorf("%v ns, want the mean of 100 and 150 us", w.captureNs)
	}
}

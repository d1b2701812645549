package signal

import (
	"math"
	"testing"
)

func TestLoudestClickIsTheStep(t *testing.T) {
	tone := make([]float32, 4800)
	for i := range tone {
		tone[i] = float32(0.25 * math.Sin(2*math.Pi*440*float64(i)/48000))
	}
	if level := LoudestClick(tone, 48000); level > -80 {
		t.Errorf("a clean tone clicks at %.1f dBFS", level)
	}
	for i := range tone[2400:] {
		tone[2400+i] += 0.00316228 // -50 dBFS
	}
	if level := LoudestClick(tone, 48000); math.Abs(level+50) > 1 {
		t.Errorf("a step of -50 dBFS counts as %.1f", level)
	}
}

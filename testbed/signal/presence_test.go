package signal

import (
	"math"
	"testing"
)

func TestASilencedReceiverIsAbsentForAsLongAsItIsSilent(t *testing.T) {
	tone := sine(10*rateHz, 441, -12, 0.3)
	for _, silent := range []int{0, 100, rateHz, 9 * rateHz, 10 * rateHz} {
		got := Presence(PlantZeros(tone, 0, silent), rateHz, 441, -12)
		if want := 1 - float64(silent)/float64(len(tone)); math.Abs(got-want) > 0.002 {
			t.Errorf("%d frames silent: present %.4f, want %.4f", silent, got, want)
		}
	}
}

func TestAnotherToneOrOneFarTooSoftIsNotPresent(t *testing.T) {
	for name, samples := range map[string][]float32{
		"another pitch": sine(rateHz, 1200, -12, 0), "20 dB softer": sine(rateHz, 441, -32, 0), "nothing": nil,
	} {
		if got := Presence(samples, rateHz, 441, -12); got != 0 {
			t.Errorf("%s: present %.3f", name, got)
		}
	}
}

func TestAResampledToneIsPresent(t *testing.T) {
	samples := resample(sine(2*rateHz, 441, -12, 0), func(int) float64 { return 500 })
	if got := Presence(samples, rateHz, 441, -12); got != 1 {
		t.Errorf("present %.3f", got)
	}
}

package clock

import (
	"math"
	"testing"
)

func TestArrivalOfATimestampIsOnTheLine(t *testing.T) {
	w := newWorld(t, Config{})
	w.ppm = 150
	if _, ok := w.servo.ArrivalNs(0); ok {
		t.Error("known before the first packet")
	}
	w.run(30)
	for _, frames := range []int64{0, -testRate, testRate, -5 * testRate} {
		at, ok := w.servo.ArrivalNs(uint32(w.timestamp + frames))
		want := w.sendNs + networkNs + float64(frames)*w.senderNs()
		if off := float64(at) - want; !ok || math.Abs(off) > 20e3 {
			t.Errorf("%+d frames: off by %.0f ns", frames, off)
		}
	}
}

func TestArrivalAcrossTheWrapOfTheTimestamp(t *testing.T) {
	w := newWorld(t, Config{})
	w.timestamp = 7<<32 - 3*testRate
	w.run(2)
	before, _ := w.servo.ArrivalNs(math.MaxUint32 - testRate + 1)
	after, _ := w.servo.ArrivalNs(testRate)
	if off := float64(after-before) - 2e9; math.Abs(off) > 100e3 {
		t.Errorf("two seconds are %.0f ns more", off)
	}
	w.run(5)
	if again, _ := w.servo.ArrivalNs(testRate); math.Abs(float64(again-after)) > 100e3 {
		t.Errorf("%d ns later than before the wrap", again-after)
	}
}

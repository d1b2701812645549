package clock

import (
	"math"
	"testing"
)

func TestArrivalOfATimestampIsOnTheEnvelope(t *testing.T) {
	p := newPlant(t, Config{})
	p.ppm = 150
	if _, ok := p.servo.ArrivalNs(0); ok {
		t.Error("known before the first packet")
	}
	p.run(30)
	for _, frames := range []int64{0, -testRate, testRate, -5 * testRate} {
		at, ok := p.servo.ArrivalNs(uint32(p.timestamp + frames))
		want := p.sendNs + networkNs + float64(frames)*p.senderNs()
		if off := float64(at) - want; !ok || math.Abs(off) > 20e3 {
			t.Errorf("%+d frames: off by %.0f ns", frames, off)
		}
	}
}

func TestArrivalAcrossTheWrapOfTheTimestamp(t *testing.T) {
	p := newPlant(t, Config{})
	p.timestamp = 7<<32 - 3*testRate
	p.run(2)
	before, _ := p.servo.ArrivalNs(math.MaxUint32 - testRate + 1)
	after, _ := p.servo.ArrivalNs(testRate)
	if off := float64(after-before) - 2e9; math.Abs(off) > 100e3 {
		t.Errorf("two seconds are %.0f ns more", off)
	}
	p.run(5)
	if again, _ := p.servo.ArrivalNs(testRate); math.Abs(float64(again-after)) > 100e3 {
		t.Errorf("%d ns later than before the wrap", again-after)
	}
}

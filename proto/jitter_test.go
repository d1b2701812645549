package proto

import (
	"math"
	"math/rand/v2"
	"testing"
)

const periodNs = 32 * 1_000_000_000 / 48000

func TestSteadyStreamHasNoJitter(t *testing.T) {
	j := NewJitterEstimator(48000)
	for i := range 1000 {
		j.Add(int64(i)*32*1_000_000_000/48000, uint32(i)*32)
	}
	if j.Jitter() != 0 {
		t.Errorf("jitter %d", j.Jitter())
	}
}

func TestTimestampWrapIsNotJitter(t *testing.T) {
	j := NewJitterEstimator(48000)
	first := uint32(math.MaxUint32 - 64)
	for i := range 10 {
		j.Add(int64(i)*32*1_000_000_000/48000, first+uint32(i)*32)
	}
	if j.Jitter() != 0 {
		t.Errorf("jitter %d", j.Jitter())
	}
}

func TestOneLatePacketCountsASixteenthOnEachSide(t *testing.T) {
	j := NewJitterEstimator(48000)
	late := int64(160 * 1_000_000_000 / 48000) // 160 units
	j.Add(0, 0)
	j.Add(periodNs+late, 32)
	if got := j.Jitter(); got != 10 {
		t.Errorf("after the late packet: %d, want 160/16", got)
	}
	j.Add(2*periodNs, 64)
	if got := j.Jitter(); got != 19 { // 10 + (160-10)/16, rounded
		t.Errorf("after the next: %d, want 19", got)
	}
}

func TestAlternatingLatenessSettlesAtItsSize(t *testing.T) {
	j := NewJitterEstimator(48000)
	for i := range 2000 {
		j.Add(int64(i)*periodNs+int64(i%2)*1_000_000, uint32(i)*32) // 1 ms is 48 units
	}
	if got := j.Jitter(); got != 48 {
		t.Errorf("jitter %d, want 48", got)
	}
}

func TestJitterMatchesTheIntegerFormOfTheRFC(t *testing.T) {
	// Appendix A.8: jitter += d - ((jitter + 8) >> 4), reported as jitter >> 4.
	r := rand.New(rand.NewPCG(5, 6))
	j := NewJitterEstimator(48000)
	var scaled, lastTransit int64
	for i := range 20000 {
		arrival := int64(i)*32 + r.Int64N(50) // in units
		j.Add(arrival*1_000_000_000/48000, uint32(i)*32)
		transit := arrival - int64(i)*32
		if i > 0 {
			d := transit - lastTransit
			scaled += max(d, -d) - (scaled+8)>>4
		}
		lastTransit = transit
		if got, want := int64(j.Jitter()), scaled>>4; i > 100 && max(got-want, want-got) > 1 {
			t.Fatalf("packet %d: %d, the RFC's code says %d", i, got, want)
		}
	}
}

func TestReorderedPacketDoesNotBlowUp(t *testing.T) {
	j := NewJitterEstimator(48000)
	j.Add(0, 64)
	j.Add(1000, 32) // 32 units back
	if got := j.Jitter(); got != 2 {
		t.Errorf("jitter %d, want 32/16", got)
	}
}

package clock

import (
	"math"
	"math/rand/v2"
	"testing"
)

const nominalNs = 1e9 / testRate

// arrivals feeds packets given as {timestamp, arrival in us} and returns which
// began a burst.
func arrivals(b *burstFinder, packetFrames uint32, packets ...[2]int64) []bool {
	begins := make([]bool, len(packets))
	for i, p := range packets {
		begins[i] = b.begins(Observation{Kind: KindPacket, Frames: packetFrames, Media: p[0], TimeNs: p[1] * 1000}, nominalNs)
	}
	return begins
}

func expect(t *testing.T, got []bool, want ...bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d results, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("packet %d: begins %v, want %v", i, got[i], want[i])
		}
	}
}

func TestEveryPacketOfASmallPeriodBeginsABurst(t *testing.T) {
	var b burstFinder
	expect(t, arrivals(&b, 64, [2]int64{0, 0}, [2]int64{64, 1333}, [2]int64{128, 2667}), true, true, true)
}

func TestPeriodOfSeveralPacketsIsOneBurst(t *testing.T) {
	var b burstFinder
	expect(t, arrivals(&b, 128,
		[2]int64{0, 0}, [2]int64{128, 10}, [2]int64{256, 20}, [2]int64{384, 30},
		[2]int64{512, 10667}, [2]int64{640, 10675}), true, false, false, false, true, false)
}

func TestReorderedAndRepeatedPacketsBeginNothing(t *testing.T) {
	var b burstFinder
	expect(t, arrivals(&b, 64,
		[2]int64{0, 0}, [2]int64{128, 2667}, [2]int64{64, 2700}, [2]int64{128, 2710}, [2]int64{0, 2720}, [2]int64{192, 4000}),
		true, true, false, false, false, true)
}

func TestPacketAfterALostOneBeginsABurstOnlyWhenItsTimeHasCome(t *testing.T) {
	b := newBurstFinder(512)
	expect(t, arrivals(&b, 128, [2]int64{0, 0}, [2]int64{128, 10}, [2]int64{384, 20}, [2]int64{512, 10667}),
		true, false, false, true)
	b = newBurstFinder(0)
	expect(t, arrivals(&b, 64, [2]int64{0, 0}, [2]int64{128, 2667}, [2]int64{192, 4000}), true, true, true)
}

// many is a sender with small packets for its period, whose sending is interrupted
// within some periods, for some of the time. It counts the wrong firsts, from the
// given period on.
func many(b *burstFinder, periodFrames int64, from int) (wrong int) {
	r := rand.New(rand.NewPCG(uint64(periodFrames), 3))
	for period := range int64(400) {
		ns := float64(period*periodFrames) * nominalNs
		for at := int64(0); at < periodFrames; at += 4 {
			if r.IntN(64) == 0 {
				ns += 60e3 + 100e3*r.Float64()
			}
			ns += 2e3
			o := Observation{Kind: KindPacket, Frames: 4, Media: period*periodFrames + at, TimeNs: int64(ns)}
			if b.begins(o, nominalNs) != (at == 0) && int(period) >= from {
				wrong++
			}
		}
	}
	return wrong
}

func TestAnInterruptedBurstIsStillOne(t *testing.T) {
	for _, period := range []int64{64, 256} {
		b := newBurstFinder(int(period)) // the sender said it
		if wrong := many(&b, period, 0); wrong > 0 {
			t.Errorf("period %d, said: %d wrong firsts", period, wrong)
		}
		b = newBurstFinder(0)
		if wrong := many(&b, period, 50); wrong > 0 {
			t.Errorf("period %d, learned: %d wrong firsts", period, wrong)
		}
	}
}

func TestAPeriodThatBecomesShorterIsLearned(t *testing.T) {
	b := newBurstFinder(1024)
	for i := range int64(100) {
		o := Observation{Kind: KindPacket, Frames: 64, Media: i * 64, TimeNs: int64(float64(i*64) * nominalNs)}
		if !b.begins(o, nominalNs) && i > 20 {
			t.Fatalf("packet %d begins nothing", i)
		}
	}
}

func TestBurstsFollowTheSendersPeriod(t *testing.T) {
	var b burstFinder
	expect(t, arrivals(&b, 128, [2]int64{0, 0}, [2]int64{128, 5}, [2]int64{256, 5333}, [2]int64{384, 5338},
		[2]int64{512, 10667}, [2]int64{640, 13333}, [2]int64{768, 16000}, [2]int64{896, 18667}, [2]int64{1024, 18670}),
		true, false, true, false, true, true, true, true, false)
}

// After a stall of the network everything comes at once; only the first of it
// is judged.
func TestCatchUpAfterAStallIsOneBurst(t *testing.T) {
	var b burstFinder
	expect(t, arrivals(&b, 64, [2]int64{0, 0}, [2]int64{64, 50000}, [2]int64{128, 50005}, [2]int64{192, 50010}, [2]int64{256, 51333}),
		true, true, false, false, true)
}

func TestSenderThatBeginsAnewWithEarlierTimestampsIsSeen(t *testing.T) {
	var b burstFinder
	begins := arrivals(&b, 64, [2]int64{480000, 0}, [2]int64{0, 1333}, [2]int64{64, 2667})
	expect(t, begins, true, true, true)
}

func TestBurstsCrossTheEndOfInt64(t *testing.T) {
	var b burstFinder
	const last = math.MaxInt64 - 63 // its packet ends on the wrap
	expect(t, arrivals(&b, 64, [2]int64{last, 0}, [2]int64{math.MinInt64, 5}, [2]int64{math.MinInt64 + 64, 1333}, [2]int64{last, 1340}),
		true, false, true, false)
}

func TestSeamIsAGapThatNoLostPacketLeaves(t *testing.T) {
	var b burstFinder
	for i, p := range []struct {
		media int64
		want  bool
	}{{100, false}, {164, false}, {292, false}, {357, true}, {421, false}, {357, false}, {7, true}} {
		o := Observation{Kind: KindPacket, Frames: 64, Media: p.media, TimeNs: int64(i) * 1333e3}
		if got := b.seam(o); got != p.want {
			t.Errorf("packet %d at %d: seam %v, want %v", i, p.media, got, p.want)
		}
		b.begins(o, nominalNs)
	}
}

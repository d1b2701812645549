package clock

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
)

const nominalNs = 1e9 / testRate

// arrivals feeds packets given as {timestamp, arrival in us} and returns which
// of them began a group.
func arrivals(g *packetGroups, packetFrames uint32, packets ...[2]int64) []bool {
	begins := make([]bool, len(packets))
	for i, p := range packets {
		_, begins[i] = g.add(stream.Observation{Kind: stream.KindPacket, Frames: packetFrames, Media: p[0], TimeNs: p[1] * 1000}, nominalNs)
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

func TestEveryPacketOfASmallPeriodBeginsAGroup(t *testing.T) {
	packets := [][2]int64{{0, 0}, {64, 1333}, {128, 2667}}
	g := newPacketGroups(64, false)
	expect(t, arrivals(&g, 64, packets...), true, true, true)
	g = newPacketGroups(0, false) // the first may be the second of a group
	expect(t, arrivals(&g, 64, packets...), false, true, true)
}

func TestPeriodOfSeveralPacketsIsOneGroup(t *testing.T) {
	g := newPacketGroups(0, false)
	expect(t, arrivals(&g, 128,
		[2]int64{0, 0}, [2]int64{128, 10}, [2]int64{256, 20}, [2]int64{384, 30},
		[2]int64{512, 10667}, [2]int64{640, 10675}), false, false, false, false, true, false)
}

func TestReorderedAndRepeatedPacketsBeginNothing(t *testing.T) {
	g := newPacketGroups(64, false)
	expect(t, arrivals(&g, 64,
		[2]int64{0, 0}, [2]int64{128, 2667}, [2]int64{64, 2700}, [2]int64{128, 2710}, [2]int64{0, 2720}, [2]int64{192, 4000}),
		true, true, false, false, false, true)
}

// groups feeds packets given as {timestamp, arrival in us} and returns, for each, the frame
// that it reported its group to begin with; -1: it reported nothing.
func groups(g *packetGroups, packetFrames uint32, packets ...[2]int64) []int64 {
	frames := make([]int64, len(packets))
	for i, p := range packets {
		frames[i] = -1
		if group, ok := g.add(stream.Observation{Kind: stream.KindPacket, Frames: packetFrames, Media: p[0], TimeNs: p[1] * 1000}, nominalNs); ok {
			frames[i] = group.frame
		}
	}
	return frames
}

func expectFrames(t *testing.T, got []int64, want ...int64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("groups begin with %d, want %d", got, want)
	}
}

// settledGroups has seen some periods of four packets of 64 frames, at
// 0 and before, and its next is due at 0.
func settledGroups(said int) packetGroups {
	g := newPacketGroups(said, false)
	for i := range int64(20) {
		from := (i - 20) * 256
		for k := range int64(4) {
			arrivals(&g, 64, [2]int64{from + 64*k, from*1000/48 + k})
		}
	}
	return g
}

func TestWhateverIsMissingOfAGroupTheRestTellsWhenItsPeriodBegan(t *testing.T) {
	for _, said := range []int{256, 0} {
		for name, c := range map[string]struct{ packets, want []int64 }{
			"nothing":                {[]int64{0, 64, 128, 192, 256}, []int64{0, -1, -1, -1, 256}},
			"the first":              {[]int64{64, 128, 192, 256}, []int64{0, -1, -1, 256}},
			"two":                    {[]int64{128, 192, 256}, []int64{0, -1, 256}},
			"all but the last":       {[]int64{192, 256}, []int64{0, 256}},
			"all":                    {[]int64{256, 320, 512}, []int64{256, -1, 512}},
			"all and more":           {[]int64{384, 448, 512}, []int64{256, -1, 512}},
			"the last":               {[]int64{0, 64, 128, 256, 320}, []int64{0, -1, -1, 256, -1}},
			"one within":             {[]int64{0, 128, 192, 256}, []int64{0, -1, -1, 256}},
			"the first is overtaken": {[]int64{64, 0, 128, 192, 256}, []int64{0, -1, -1, -1, 256}},
			"all in disorder":        {[]int64{192, 128, 64, 0, 320, 256, 512}, []int64{0, -1, -1, -1, 256, -1, 512}},
		} {
			t.Run(fmt.Sprintf("%s, said %d", name, said), func(t *testing.T) {
				g := settledGroups(said)
				var packets [][2]int64
				for i, media := range c.packets {
					packets = append(packets, [2]int64{media, floorTo(media, 256)*1000/48 + int64(i)})
				}
				expectFrames(t, groups(&g, 64, packets...), c.want...)
			})
		}
	}
}

// The rest of a group is held up on its way, for longer than what tells groups apart. It is no
// group of its own.
func TestAGroupThatIsTornTellsOnce(t *testing.T) {
	for _, said := range []int{256, 0} {
		g := settledGroups(said)
		expectFrames(t, groups(&g, 64, [2]int64{0, 0}, [2]int64{64, 1}, [2]int64{128, 2}, [2]int64{192, 1800},
			[2]int64{256, 5333}, [2]int64{320, 7200}, [2]int64{384, 7201}, [2]int64{448, 7202}, [2]int64{512, 10667}),
			0, -1, -1, -1, 256, -1, -1, -1, 512)
	}
}

func TestWhereNothingIsKnownOfTheSenderOnlyWhatFollowsIsBelieved(t *testing.T) {
	g := newPacketGroups(0, false)
	expectFrames(t, groups(&g, 64,
		[2]int64{64, 0}, [2]int64{192, 5333}, [2]int64{256, 5334}, [2]int64{320, 10667}), -1, -1, -1, 320)
	g = newPacketGroups(128, false) // the first that follows shows where periods begin
	expectFrames(t, groups(&g, 64,
		[2]int64{64, 0}, [2]int64{192, 2667}, [2]int64{256, 5333}, [2]int64{448, 8000}, [2]int64{576, 10667}), -1, -1, 256, 384, 512)
}

// Where every other packet is lost from the beginning, nobody knows which ones: what
// comes is believed in the end.
func TestASenderOfWhichNothingFollowsIsBelievedAfterAWhile(t *testing.T) {
	for _, said := range []int{128, 64, 0} {
		for _, timestamp := range []int64{64, 0} { // of the first packet: where a stream starts tells nothing
			g := newPacketGroups(said, false)
			first, n := int64(-1), 0
			for i := range int64(200) {
				if got := groups(&g, 64, [2]int64{timestamp + 128*i, 2667 * i}); got[0] >= 0 {
					n++
					if first < 0 {
						first = i
					}
				}
			}
			if first*2667 > 110000 || n < 150 {
				t.Errorf("said %d, from %d: believed from group %d on, %d of 200", said, timestamp, first, n)
			}
		}
	}
}

// A period that is no whole number of packets: each packet leaves with its last frame.
func TestPeriodsThatAreNotWholePackets(t *testing.T) {
	for _, c := range []struct{ period, packet int64 }{{64, 48}, {1024, 240}, {256, 192}, {1000, 333}, {441, 48}, {64, 63}} {
		g := newPacketGroups(int(c.period), false)
		r := rand.New(rand.NewPCG(uint64(c.period), 5))
		sent := int64(0)
		for period := range int64(3000) {
			from := period * c.period
			for k := int64(0); from+c.period-sent >= c.packet; k++ {
				o := stream.Observation{Kind: stream.KindPacket, Frames: uint32(c.packet), Media: sent, TimeNs: int64(float64(from)*nominalNs) + k*1000}
				sent += c.packet
				if period > 1000 && r.IntN(4) == 0 {
					continue
				}
				if group, ok := g.add(o, nominalNs); ok && period > 1000 && group.frame != from {
					t.Fatalf("periods of %d, packets of %d: one that began with %d is taken for %d", c.period, c.packet, from, group.frame)
				}
			}
		}
	}
}

// The send delay of Opus packets counts from the time of each packet's own first frame.
func TestAPacketThatSaysItsOwnSendDelayTellsWhateverIsLost(t *testing.T) {
	for _, lateNs := range []int64{0, -1} {
		g := newPacketGroups(1024, true)
		told := []int64{}
		sent := int64(0)
		for period := range int64(100) {
			for ; (period+1)*1024-sent >= 480; sent += 480 {
				if period > 90 && sent%960 == 0 {
					continue
				}
				o := stream.Observation{Kind: stream.KindPacket, Frames: 480, Media: sent, TimeNs: int64(float64(period*1024)*nominalNs) + sent, SendDelayNs: lateNs}
				if group, ok := g.add(o, nominalNs); ok && period > 90 {
					told = append(told, group.frame-sent)
				}
			}
		}
		itself := len(told) > 0 && !slices.ContainsFunc(told, func(off int64) bool { return off != 0 })
		if itself != (lateNs >= 0) {
			t.Errorf("says %d: told %d frames from where the packets begin", lateNs, told)
		}
	}
}

func TestADiscontinuityIsToldByTheNextGroupWhoseBeginningIsKnown(t *testing.T) {
	g := settledGroups(256)
	// The first packet after the lost time is lost, too: where the period began is not known.
	expectFrames(t, groups(&g, 64, [2]int64{0, 0}, [2]int64{64, 1}, [2]int64{128, 2}, [2]int64{192, 3},
		[2]int64{400 + 64, 8333}, [2]int64{400 + 128, 8334}, [2]int64{400 + 192, 8335}), 0, -1, -1, -1, -1, -1, -1)
	group, ok := g.add(stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: 400 + 256, TimeNs: 13667e3}, nominalNs)
	if !ok || !group.discontinuity || group.frame != 656 {
		t.Errorf("%+v, %v; want a discontinuity at 656", group, ok)
	}
	expectFrames(t, groups(&g, 64, [2]int64{656 + 64 + 256, 19000}), 656+256)
}

// numbered feeds settled groups with groups of four packets of 64 frames. Each is given
// by what its first is numbered, its timestamp and its time in us, and by which of its
// packets come.
func numbered(said int, each ...[4]int64) (told []group) {
	g := newPacketGroups(said, false)
	add := func(sequence, media, us int64) {
		if group, ok := g.add(stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: media, TimeNs: us * 1000, Sequence: uint32(sequence)}, nominalNs); ok {
			told = append(told, group)
		}
	}
	for i := range int64(80) {
		add(i, (i-80)*64, (i/4-20)*5333)
	}
	told = nil
	for _, e := range each {
		for k := range int64(4) {
			if e[3]&(1<<k) != 0 {
				add(e[0]+k, e[1]+64*k, e[2]+k)
			}
		}
	}
	return told
}

func TestLostTimeIsKnownByTheSequenceNumbersWhateverIsLostAroundIt(t *testing.T) {
	const all, behindFirst, odd, lastOnly, none = 15, 14, 10, 8, 0
	for _, said := range []int{256, 0} {
		for _, lost := range []int64{77, 64, 128, 256, 1000, -5} {
			for _, before := range []int64{all, 7, odd, 5, none} {
				for _, after := range []int64{all, behindFirst, odd, lastOnly} {
					told := numbered(said, [4]int64{80, 0, 0, before}, [4]int64{84, 256 + lost, 5333 + lost*1000/48, after},
						[4]int64{88, 512 + lost, 10667 + lost*1000/48, odd}, [4]int64{92, 768 + lost, 16000 + lost*1000/48, all})
					if before != none {
						told = told[1:]
					}
					// Of time taken back, a packet looks like one that was overtaken.
					want := []group{{256 + lost, true}, {512 + lost, false}, {768 + lost, false}}
					if !slices.Equal(told, want) {
						t.Errorf("said %d, %d frames lost between packets %04b and %04b: told %v, want %v", said, lost, before, after, told, want)
					}
				}
			}
		}
	}
}

// Packets of a foreign sender need not be of one size: what is left of a block goes last.
func TestPacketsOfSeveralSizesAndNoDiscontinuityBetween(t *testing.T) {
	g := newPacketGroups(0, false)
	r := rand.New(rand.NewPCG(4, 7))
	sizes := []int64{347, 347, 330}
	for block := range int64(500) {
		at := block * 1024
		for k, frames := range sizes {
			o := stream.Observation{Kind: stream.KindPacket, Frames: uint32(frames), Media: at, TimeNs: int64(float64(block*1024)*nominalNs) + int64(k)*1000}
			at += frames
			if block > 100 && r.IntN(5) == 0 {
				continue
			}
			if group, ok := g.add(o, nominalNs); ok && (group.frame != block*1024 || group.discontinuity) {
				t.Fatalf("block %d, packet %d: %+v", block, k, group)
			}
		}
	}
}

// many is a sender with small packets for its period, whose sending is interrupted
// within some periods, for some of the time. It counts the wrong firsts, from the
// given period on.
func many(g *packetGroups, periodFrames int64, from int) (wrong int) {
	r := rand.New(rand.NewPCG(uint64(periodFrames), 3))
	for period := range int64(400) {
		ns := float64(period*periodFrames) * nominalNs
		for at := int64(0); at < periodFrames; at += 4 {
			if r.IntN(64) == 0 {
				ns += 60e3 + 100e3*r.Float64()
			}
			ns += 2e3
			o := stream.Observation{Kind: stream.KindPacket, Frames: 4, Media: period*periodFrames + at, TimeNs: int64(ns)}
			if _, begins := g.add(o, nominalNs); begins != (at == 0) && int(period) >= from {
				wrong++
			}
		}
	}
	return wrong
}

func TestAnInterruptedGroupIsStillOne(t *testing.T) {
	for _, period := range []int64{64, 256} {
		g := newPacketGroups(int(period), false) // the sender said it
		if wrong := many(&g, period, 1); wrong > 0 {
			t.Errorf("period %d, said: %d wrong firsts", period, wrong)
		}
		g = newPacketGroups(0, false)
		if wrong := many(&g, period, 50); wrong > 0 {
			t.Errorf("period %d, learned: %d wrong firsts", period, wrong)
		}
	}
}

func TestAPeriodThatBecomesShorterIsLearned(t *testing.T) {
	g := newPacketGroups(1024, false)
	for i := range int64(100) {
		o := stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: i * 64, TimeNs: int64(float64(i*64) * nominalNs)}
		if _, begins := g.add(o, nominalNs); !begins && i > 20 {
			t.Fatalf("packet %d begins nothing", i)
		}
	}
}

func TestGroupsFollowTheSendersPeriod(t *testing.T) {
	g := newPacketGroups(0, false)
	expect(t, arrivals(&g, 128, [2]int64{0, 0}, [2]int64{128, 5}, [2]int64{256, 5333}, [2]int64{384, 5338},
		[2]int64{512, 10667}, [2]int64{640, 13333}, [2]int64{768, 16000}, [2]int64{896, 18667}, [2]int64{1024, 18670}),
		false, false, true, false, true, false, true, true, false)
}

// After a stall of the network everything comes at once; only the first of it
// is judged.
func TestCatchUpAfterAStallIsOneGroup(t *testing.T) {
	g := newPacketGroups(64, false)
	expect(t, arrivals(&g, 64, [2]int64{0, 0}, [2]int64{64, 50000}, [2]int64{128, 50005}, [2]int64{192, 50010}, [2]int64{256, 51333}),
		true, true, false, false, true)
}

func TestSenderThatIsResetToEarlierTimestampsIsSeen(t *testing.T) {
	g := newPacketGroups(64, false)
	begins := arrivals(&g, 64, [2]int64{480000, 0}, [2]int64{0, 1333}, [2]int64{64, 2667})
	expect(t, begins, true, true, true)
}

func TestGroupsCrossTheEndOfInt64(t *testing.T) {
	g := newPacketGroups(64, false)
	const last = math.MaxInt64 - 63 // its packet ends on the wrap
	expect(t, arrivals(&g, 64, [2]int64{last, 0}, [2]int64{math.MinInt64, 5}, [2]int64{math.MinInt64 + 64, 1333}, [2]int64{last, 1340}),
		true, false, true, false)
}

func TestDiscontinuityIsAGapThatNoLostPacketLeaves(t *testing.T) {
	g := newPacketGroups(64, false)
	for i, p := range []struct {
		media int64
		want  bool
	}{{100, false}, {164, false}, {292, false}, {357, true}, {421, false}, {357, false}, {-1e6, true}, {-1e6 + 64, false}, {-1e6 + 129, true}} {
		o := stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: p.media, TimeNs: int64(i) * 1333e3}
		if got, _ := g.add(o, nominalNs); got.discontinuity != p.want {
			t.Errorf("packet %d at %d: discontinuity %v, want %v", i, p.media, got.discontinuity, p.want)
		}
	}
}

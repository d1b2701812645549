package rt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"archibald-bridge/bridge/stream"
)

// repeating makes a pair that agreed on repetition.
func repeating(t *testing.T, f stream.Format, period, copies, distance int) *pair {
	t.Helper()
	p := newPair(t, f, period)
	repeats := stream.RepeatsOf(copies, distance, period)
	check(t, p.tx.StartSender(stream.SendPlan{Format: f, PayloadType: payloadType(f.Encoding), PacketFrames: packetFrames(f, period), SSRC: 7, Repeats: repeats}))
	check(t, p.rx.StartReceiver(stream.ReceivePlan{Format: f, PayloadType: payloadType(f.Encoding), SSRC: 7, Repeats: repeats}))
	p.source = func(frame int64, _ int) float32 { return float32(frame%1009) / 1024 }
	return p
}

func sequenceOf(datagram []byte) uint16 { return binary.BigEndian.Uint16(datagram[2:]) }

// lossy is a network that loses datagrams, and remembers which packets came.
type lossy struct {
	lose    func(cycle int) bool // asked for every datagram
	packets map[uint16]int       // how many copies came, by sequence number
}

func (l *lossy) deliver(cycle int, sent [][]byte) [][]byte {
	var come [][]byte
	for _, d := range sent {
		l.packets[sequenceOf(d)] += 0
		if !l.lose(cycle) {
			l.packets[sequenceOf(d)]++
			come = append(come, d)
		}
	}
	return come
}

// gone is how many packets did not come at all.
func (l *lossy) gone() int {
	n := 0
	for _, copies := range l.packets {
		if copies == 0 {
			n++
		}
	}
	return n
}

func randomLoss(share float64) func(int) bool {
	r := rand.New(rand.NewPCG(5, 20))
	return func(int) bool { return r.Float64() < share }
}

// burstsOfTwo loses all that is sent in two cycles in a row, and never what is
// sent in the cycle after.
func burstsOfTwo(share float64) func(int) bool {
	r, from := rand.New(rand.NewPCG(6, 21)), -10
	last := 0
	return func(cycle int) bool {
		if cycle != last && cycle > from+2 && r.Float64() < share/2 {
			from = cycle
		}
		last = cycle
		return cycle == from || cycle == from+1
	}
}

func TestLossIsMadeGoodByRepetition(t *testing.T) {
	const period, cycles = 32, 50000
	for _, test := range []struct {
		name             string
		lose             func(int) bool
		copies, distance int
		mostPercent      float64 // of frames concealed
	}{
		{"5 %, none", randomLoss(0.05), 0, 0, 6},
		{"5 %, once at once", randomLoss(0.05), 1, 0, 0.3},
		{"5 %, once two periods later", randomLoss(0.05), 1, 2, 0.3},
		{"5 %, twice at once", randomLoss(0.05), 2, 0, 0.03},
		{"20 %, once at once", randomLoss(0.2), 1, 0, 4.4},
		{"20 %, twice at once", randomLoss(0.2), 2, 0, 1},
		{"20 %, twice three periods apart", randomLoss(0.2), 2, 3, 1},
		{"bursts of two, once at once", burstsOfTwo(0.05), 1, 0, 6},
		{"bursts of two, once two periods later", burstsOfTwo(0.05), 1, 2, 0.3},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := stream.Format{Encoding: stream.L16, RateHz: 48000, Channels: 1}
			p := repeating(t, f, period, test.copies, test.distance)
			// A packet comes in the cycle that plays it: there is no other delay
			// than that of the last repeat.
			delay := int64(test.copies * test.distance * period)
			p.start(delay)
			p.run(20, direct)
			before := p.rx.Counters().Received
			network := &lossy{lose: test.lose, packets: map[uint16]int{}}
			p.run(cycles, network.deliver)
			// In the last cycles the repeats had not come yet; and those of what came
			// before the loss came into it.
			p.run(600, direct)
			r := p.rx.Counters().Received
			frames := r.ConcealedFrames - before.ConcealedFrames
			percent := float64(frames) / (cycles * period) * 100
			t.Logf("%.3f %% of frames concealed, %d packets lost, %d recovered", percent, r.Lost, r.Recovered)
			if percent > test.mostPercent {
				t.Errorf("more than %v %%", test.mostPercent)
			}
			// Repeats that went out before or after the loss are not in the tally.
			slack := 2 * test.copies * test.distance
			if gone := network.gone(); int(frames)/period > gone || int(frames)/period < gone-slack {
				t.Errorf("%d frames concealed, %d packets of %d never came", frames, gone, period)
			}
			wantCount(t, "lost", r.Lost-before.Lost, frames/period)
			wantCount(t, "duplicates", r.Duplicate, 0)
			wantCount(t, "late", r.DiscardedLate-before.DiscardedLate, 0)
			for i := len(p.got[0]) - 100*period; i < len(p.got[0]); i++ {
				if want := p.source(int64(i)-delay, 0); p.got[0][i] != want {
					t.Fatalf("frame %d: got %v, want %v: the delay moved", i, p.got[0][i], want)
				}
			}
		})
	}
}

// A frame less, and the repeats come after the first of their frames was played.
func TestRepeatsTwoPeriodsLaterNeedJustTwoPeriods(t *testing.T) {
	const period = 64
	for missing, want := range map[int64]uint64{0: 0, 1: 10 * 2} {
		p := repeating(t, stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 2}, period, 1, 2)
		p.start(2*period - missing)
		p.run(20-p.cycle, direct)
		network := &lossy{lose: func(cycle int) bool { return cycle%20 < 2 }, packets: map[uint16]int{}}
		p.run(200, network.deliver)
		wantCount(t, fmt.Sprintf("frames concealed with %d too few", missing), p.rx.Counters().Received.ConcealedFrames, want)
	}
}

func TestRepeatsAreTheSameBytesAtTheirTime(t *testing.T) {
	for _, test := range []struct {
		channels, period, copies, distance int
	}{
		{2, 32, 1, 0}, {2, 32, 2, 0}, {2, 64, 1, 1}, {2, 64, 1, 2}, {2, 64, 2, 2}, {2, 32, 2, 8},
		{8, 64, 1, 3}, {8, 256, 2, 2}, {8, 512, 2, 8}, {2, 353, 2, 1}, {64, 512, 1, 0}, {2, 8192, 2, 8},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			f := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: test.channels}
			p := repeating(t, f, test.period, test.copies, test.distance)
			distance := stream.RepeatsOf(test.copies, test.distance, test.period).DistanceFrames / test.period
			type original struct {
				cycle, sent int
				data        []byte
			}
			sent := map[uint16]*original{}
			const cycles = 60
			for cycle := range cycles {
				repeated := false
				for _, d := range p.send(cycle) {
					first := sent[sequenceOf(d)]
					if first == nil {
						if repeated && test.channels < 64 && test.period < 2000 {
							t.Fatalf("cycle %d: a new packet behind a repeat", cycle)
						}
						sent[sequenceOf(d)] = &original{cycle, 1, d}
						continue
					}
					repeated = true
					if !bytes.Equal(d, first.data) {
						t.Fatalf("cycle %d: a repeat differs from its packet", cycle)
					}
					if want := first.cycle + first.sent*distance; cycle != want {
						t.Fatalf("cycle %d: copy %d of a packet of cycle %d, due in %d", cycle, first.sent, first.cycle, want)
					}
					first.sent++
				}
			}
			for sequence, o := range sent {
				if want := 1 + test.copies; o.sent != want && o.cycle+test.copies*distance < cycles || o.sent > want {
					t.Errorf("packet %d of cycle %d went out %d times, want %d", sequence, o.cycle, o.sent, want)
				}
			}
		})
	}
}

// One system call sends all of a period, repeats included.
func TestAPeriodWithItsRepeatsIsPackedAtOnce(t *testing.T) {
	for _, test := range []struct{ channels, period, copies, distance, want int }{
		{2, 32, 0, 0, 1}, {2, 32, 2, 0, 3}, {8, 64, 2, 0, 6}, {8, 512, 2, 0, 48}, {8, 512, 2, 4, 48}, {2, 64, 2, 8, 3},
	} {
		f := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: test.channels}
		p := repeating(t, f, test.period, test.copies, test.distance)
		for cycle := range 20 {
			p.send(cycle)
		}
		frame := uint64(20 * test.period)
		p.tx.Advance(test.period, frame, p.cycleNs(20))
		p.tx.capture(test.channels, test.period, frame, 0)
		if got := p.tx.pack(frame, p.cycleNs(20)); got != test.want {
			t.Errorf("%+v: packed %d at once", test, got)
		}
		if again := p.tx.pack(frame, p.cycleNs(20)); again != 0 {
			t.Errorf("%+v: %d more", test, again)
		}
	}
}

func TestRepeatsGoOnAfterTheGraphLostTime(t *testing.T) {
	f := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 2}
	p := repeating(t, f, 64, 2, 4)
	counts := map[uint16]int{}
	for cycle := range 400 {
		if cycle >= 100 {
			cycle += 1000 // skipped by the graph
		}
		for _, d := range p.send(cycle) {
			counts[sequenceOf(d)]++
		}
	}
	three := 0
	for _, n := range counts {
		if n > 3 {
			t.Fatalf("a packet went out %d times", n)
		}
		if n == 3 {
			three++
		}
	}
	if three < 400-8 {
		t.Errorf("%d of 400 packets went out three times", three)
	}
}

// Until there is a plan for the new period, the history may be too short for it.
func TestPeriodsThatWereNotPlannedRepeatNothingTooOften(t *testing.T) {
	p := newPair(t, stereoF32(), 32)
	check(t, p.tx.StartSender(stream.SendPlan{Format: stereoF32(), PayloadType: payloadType(stereoF32().Encoding), PacketFrames: 64, SSRC: 7,
		Repeats: stream.Repeats{Copies: 2, DistanceFrames: 32}}))
	counts, frame := map[uint16]int{}, uint64(0)
	for cycle := range 100 {
		period := 32
		if cycle%50 == 20 {
			period = 8192
		}
		in := [][]float32{make([]float32, period), make([]float32, period)}
		now := 1e9 + int64(frame)*1e9/48000
		p.tx.Advance(period, frame, now)
		for _, d := range p.tx.Capture(in, frame, now) {
			counts[sequenceOf(d)]++
		}
		frame += uint64(period)
	}
	for sequence, n := range counts {
		if n > 3 {
			t.Errorf("packet %d went out %d times", sequence, n)
		}
	}
	if want := (98*32 + 2*8192) / 64; len(counts) != want {
		t.Errorf("%d packets, want %d", len(counts), want)
	}
}

func TestWithoutAnAgreementNothingIsRepeated(t *testing.T) {
	p := newPair(t, stereoF32(), 64)
	p.source = noise(p.format, 1)
	for cycle := range 100 {
		if sent := p.send(cycle); len(sent) != 1 || len(sent[0]) != 12+64*8 {
			t.Fatalf("%d datagrams, the first of %d bytes", len(sent), len(sent[0]))
		}
	}
}

func stereoF32() stream.Format {
	return stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 2}
}

func TestPlansThatCannotBeRepeatedAreRefused(t *testing.T) {
	v, err := NewVirtual(48000)
	check(t, err)
	t.Cleanup(v.Close)
	for repeats, legal := range map[stream.Repeats]bool{
		{}: true, {Copies: 2}: true, {Copies: 2, DistanceFrames: 4096}: true, {Copies: 1, DistanceFrames: 8192}: true,
		{Copies: 3}: false, {Copies: -1}: false, {Copies: 1, DistanceFrames: -1}: false, {Copies: 2, DistanceFrames: 4097}: false,
	} {
		err := v.StartSender(stream.SendPlan{Format: stereoF32(), PayloadType: payloadType(stereoF32().Encoding), PacketFrames: 64, Repeats: repeats})
		if (err == nil) != legal {
			t.Errorf("%+v: %v", repeats, err)
		}
	}
}

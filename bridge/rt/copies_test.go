package rt

import (
	"math/rand/v2"
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// receiving makes a player whose peer agreed to repeat.
func receiving(t *testing.T, repeats stream.Repeats) *player {
	p := newPlayer(t, 1, 64)
	check(t, p.v.StartReceiver(stream.ReceivePlan{Format: formatF32(1), PayloadType: payloadType(formatF32(1).Encoding), SSRC: playerSSRC, Repeats: repeats}))
	return p
}

func TestCopiesAreCountedAgainstWhatWasAgreed(t *testing.T) {
	for _, test := range []struct {
		name                               string
		agreed, sent                       int
		recovered, duplicate, lost, packet uint64
	}{
		{"as agreed", 2, 3, 0, 0, 0, 1},
		{"one is missing", 2, 2, 1, 0, 0, 1},
		{"two are missing", 2, 1, 1, 0, 0, 1},
		{"all are missing", 2, 0, 0, 0, 1, 0},
		{"one too many", 2, 4, 0, 1, 0, 1},
		{"none agreed, none sent", 0, 1, 0, 0, 0, 1},
		{"none agreed, two sent", 0, 3, 0, 2, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := receiving(t, stream.Repeats{Copies: test.agreed})
			p.delayTo(64)
			p.run(2000, func(n int) [][]byte {
				copies := 1 + test.agreed
				if n%100 == 50 {
					copies = test.sent
				}
				return slices.Repeat([][]byte{p.packet(n)}, copies)
			})
			r := p.received()
			settled := uint64(0) // the last packets may yet come again
			for n := 50; n <= 2000-1-512; n += 100 {
				settled++
			}
			wantCount(t, "recovered", r.Recovered, settled*test.recovered)
			wantCount(t, "duplicate", r.Duplicate, 20*test.duplicate)
			wantCount(t, "lost", r.Lost, 20*test.lost)
			wantCount(t, "packets", r.Packets, 2000-20+20*test.packet)
			wantCount(t, "concealed frames", r.ConcealedFrames, 64*20*test.lost)
		})
	}
}

func TestReorderedCopiesAreNoLoss(t *testing.T) {
	p := receiving(t, stream.Repeats{Copies: 1})
	p.delayTo(640)
	p.run(2000, func(n int) [][]byte { // in pairs of packets, the second first
		if n%2 == 0 {
			return nil
		}
		return [][]byte{p.packet(n), p.packet(n), p.packet(n - 1), p.packet(n - 1)}
	})
	r := p.received()
	wantCount(t, "recovered", r.Recovered, 0)
	wantCount(t, "duplicate", r.Duplicate, 0)
	wantCount(t, "reordered", r.Reordered, 1000)
	wantCount(t, "lost", r.Lost, 0)
}

// What was sent before the receiver began has lost nothing.
func TestRepeatsOfWhatCameBeforeTheReceiverAreNotRecovered(t *testing.T) {
	p := receiving(t, stream.Repeats{Copies: 1, DistanceFrames: 4 * 64})
	p.delayTo(640)
	p.cycle = 10
	p.run(1000, func(n int) [][]byte { return [][]byte{p.packet(n), p.packet(n - 4)} })
	r := p.received()
	wantCount(t, "recovered", r.Recovered, 0)
	wantCount(t, "lost", r.Lost, 0)
	wantCount(t, "packets", r.Packets, 1004)
}

// arrivals runs cycles in which lost says what the network loses, and returns
// how many packets were observed as arrived when they had been sent, and how
// many at another time.
func (p *player) arrivals(cycles, distance int, lost func(cycle, copy int) bool) (good, wrong int) {
	p.t.Helper()
	p.delayTo(640)
	p.run(cycles, func(n int) [][]byte {
		var packets [][]byte
		if !lost(n, 0) {
			packets = append(packets, p.packet(n))
		}
		if n >= distance && !lost(n, 1) {
			packets = append(packets, p.packet(n-distance))
		}
		return packets
	})
	for _, o := range p.observe() {
		if o.Kind != stream.KindPacket {
			continue
		}
		cycle := (o.Media - int64(p.base)) / 64
		if due := 1e9 + cycle*64*1e9/playerRate; o.TimeNs < due-1 || o.TimeNs > due+1 {
			wrong++
		} else {
			good++
		}
	}
	return good, wrong
}

// The arrival of a repeat says nothing about the sender's clock.
func TestRepeatsAreNoArrivals(t *testing.T) {
	for _, test := range []struct {
		distance, lostInARow, want int // packets observed of 1000
	}{
		{1, 1, 800}, {2, 2, 700}, // the last before a longer gap is taken for a repeat
		{2, 1, 899}, {8, 5, 499}, // the last of all still waits for the next one
		{1, 2, 800}, {2, 3, 700}, {8, 9, 100}, // the repeat is the last before the gap
	} {
		p := receiving(t, stream.Repeats{Copies: 1, DistanceFrames: test.distance * 64})
		good, wrong := p.arrivals(1000, test.distance, func(cycle, copy int) bool {
			return copy == 0 && cycle%10 >= 10-test.lostInARow
		})
		if wrong > 0 {
			t.Errorf("%+v: %d repeats were observed as arrivals", test, wrong)
		}
		if good != test.want {
			t.Errorf("%+v: %d arrivals observed", test, good)
		}
		wantCount(t, "lost", p.received().Lost, 0)
		wantCount(t, "concealed frames", p.received().ConcealedFrames, 0)
	}
}

func TestRepeatsAreNoArrivalsInRandomLoss(t *testing.T) {
	for _, test := range []struct {
		loss        float64
		distance    int
		mostPercent float64 // of wrong arrivals: distance losses in a row, and their repeats come
	}{{0.05, 1, 0.03}, {0.05, 2, 0.003}, {0.2, 1, 1}, {0.2, 2, 0.3}} {
		p := receiving(t, stream.Repeats{Copies: 1, DistanceFrames: test.distance * 64})
		r := rand.New(rand.NewPCG(9, 9))
		good, wrong := 0, 0
		for range 50 {
			g, w := p.arrivals(1000, test.distance, func(int, int) bool { return r.Float64() < test.loss })
			good, wrong = good+g, wrong+w
		}
		t.Logf("%+v: %d arrivals, %d of them repeats", test, good, wrong)
		if float64(wrong) > test.mostPercent/100*50000 || good < 25000 {
			t.Errorf("%+v: %d arrivals, %d of them repeats", test, good, wrong)
		}
	}
}

// At once, all copies come when the packet was sent, and whichever comes first counts.
func TestRepeatsAtOnceAreArrivals(t *testing.T) {
	p := receiving(t, stream.Repeats{Copies: 1})
	good, wrong := p.arrivals(1000, 0, func(cycle, copy int) bool { return cycle%10 == 3 && copy == 0 })
	if good != 1000 || wrong != 0 {
		t.Errorf("%d arrivals, %d at another time", good, wrong)
	}
}

// The longest distance: the repeat comes when the most packets have come after its packet.
func TestTheOldestRepeatIsStillKnown(t *testing.T) {
	f := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: proto.MaxChannels}
	for period := 1; period <= 8192; period++ {
		for copies := 1; copies <= proto.MaxRedundancy; copies++ {
			repeats := stream.RepeatsOf(copies, proto.MaxRedundancyDistance, period)
			span := repeats.SpanFrames()
			packets := (period + packetFrames(f, period) - 1) / packetFrames(f, period)
			come, known := (span/period+1)*packets, 512+(span+repeats.DistanceFrames)*f.BytesPerFrame()/600
			if span == 0 { // behind each batch
				come = 2 * 16
			}
			if come > known || known > 8191 {
				t.Fatalf("period %d: up to %d packets come before the last repeat: %d are known", period, come, known)
			}
		}
	}
	v, err := NewVirtual(48000)
	check(t, err)
	t.Cleanup(v.Close)
	check(t, v.StartPositions(48000, 48000, stream.Repeats{}))
	for n := range 600 {
		if n != 10 {
			v.ReceivePosition(uint16(n), uint32(n*16), 16, int64(n), -1)
		}
	}
	v.ReceivePosition(10, 160, 16, 600, -1)
	v.ReceivePosition(11, 176, 16, 600, -1)
	r := v.Counters().Received
	wantCount(t, "lost", r.Lost, 0)
	wantCount(t, "duplicate", r.Duplicate, 1)
	wantCount(t, "packets", r.Packets, 600)
}

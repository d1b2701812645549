package rt_test

import (
	"encoding/binary"
	"math"
	"net"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/testbed/rttest"
)

// A long period, so that a busy machine changes nothing of what is told apart.
const (
	waitPeriod = 8192
	waitParts  = 32 // packets of a period
	mostWait   = 40 * time.Millisecond
)

// leading is a leader on a real socket, and its follower: the test.
type leading struct {
	t        *testing.T
	e        *rt.Engine
	follower *net.UDPConn
	frame    uint64
	sequence uint16
	answers  [][]byte // to the newest cycle, not sent yet
}

func lead(t *testing.T) *leading {
	t.Helper()
	n := open(t, "127.0.0.41:0")
	follower, _ := stranger(t, "127.0.0.42:0")
	l := &leading{t: t, e: n.e, follower: follower}
	mono := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 1}
	to := follower.LocalAddr().(*net.UDPAddr).AddrPort()
	check(t, n.e.StartSender(stream.SendPlan{Format: mono, PayloadType: 98, PacketFrames: waitPeriod / waitParts, SSRC: 1, To: to, Lock: stream.Leads}))
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: mono, PayloadType: 98, SSRC: 2, From: to.Addr(), Lock: stream.Leads,
		PeriodFrames: waitPeriod, AnswerPeriods: 1, MostWait: mostWait}))
	return l
}

// playout runs a leader's playout in a cycle that began at a time, and says how long it took.
func (l *leading) playout(began time.Time) ([]float32, time.Duration) {
	now := monotonicNs()
	plane := make([]float32, waitPeriod)
	start := time.Now()
	rttest.Playout(l.e, plane, 1, waitPeriod, l.frame, now-int64(start.Sub(began)), now)
	return plane, time.Since(start)
}

// capture sends a cycle in which all samples are value, and reads it as the follower does.
func (l *leading) capture(value float32) {
	l.t.Helper()
	plane := make([]float32, waitPeriod)
	for i := range plane {
		plane[i] = value
	}
	rttest.Capture(l.e, plane, 1, waitPeriod, l.frame, monotonicNs())
	l.frame += waitPeriod
	l.answers = nil
	for range waitParts {
		datagram := make([]byte, 1500)
		check(l.t, l.follower.SetReadDeadline(time.Now().Add(5*time.Second)))
		size, err := l.follower.Read(datagram)
		check(l.t, err)
		datagram = datagram[:size]
		binary.BigEndian.PutUint32(datagram[8:], 2)
		l.answers = append(l.answers, datagram)
	}
}

// answer sends the answers of the newest cycle from first up to last.
func (l *leading) answer(first, last int) {
	to := net.UDPAddrFromAddrPort(l.e.LocalAddr())
	for _, a := range l.answers[first:last] {
		l.sequence++
		binary.BigEndian.PutUint16(a[2:], l.sequence)
		_, _ = l.follower.WriteToUDP(a, to) // the test finds what is missing
	}
}

// settled is a leader whose answers come in time.
func settled(t *testing.T) *leading {
	t.Helper()
	l := lead(t)
	for range 4 {
		l.playout(time.Now())
		l.capture(0.25)
		l.answer(0, waitParts)
	}
	return l
}

func (l *leading) counters() stream.ReceiveCounters { return l.e.Counters().Received }

func TestALeaderDoesNotWaitForWhatIsThere(t *testing.T) {
	l := settled(t)
	if out, _ := l.playout(time.Now()); out[waitPeriod-1] != 0.25 {
		t.Errorf("played %v", out[waitPeriod-1])
	}
	wantCount(t, "waited", l.counters().Waited, 0)
	wantCount(t, "unanswered", l.counters().Unanswered, 0)
}

func TestALeaderWaitsForAnAnswerThatIsOnItsWay(t *testing.T) {
	l := settled(t)
	l.playout(time.Now())
	l.capture(0.5)
	go func() {
		for _, part := range [][2]int{{0, 10}, {10, 31}, {31, waitParts}} {
			time.Sleep(3 * time.Millisecond)
			l.answer(part[0], part[1])
		}
	}()
	out, took := l.playout(time.Now())
	if out[waitPeriod-1] != 0.5 || took > mostWait {
		t.Errorf("played %v after %v", out[waitPeriod-1], took)
	}
	wantCount(t, "waited", l.counters().Waited, 1)
	wantCount(t, "unanswered", l.counters().Unanswered, 0)
}

func TestALeaderWaitsNoLongerThanItMay(t *testing.T) {
	const slack = 150 * time.Millisecond // of a busy machine
	l := settled(t)
	l.playout(time.Now())
	l.capture(0.5)
	l.answer(0, waitParts-1) // the last one does not come
	if _, took := l.playout(time.Now()); took < mostWait-time.Millisecond || took > mostWait+slack {
		t.Errorf("waited %v, may wait %v", took, mostWait)
	}
	wantCount(t, "waited", l.counters().Waited, 1)
	wantCount(t, "unanswered", l.counters().Unanswered, 1)
	wantCount(t, "concealed", l.counters().ConcealedFrames, waitPeriod/waitParts)
}

// Another end on the same graph may have waited before: the cycle's time is one.
func TestALeaderWaitsFromTheStartOfItsCycle(t *testing.T) {
	l := settled(t)
	l.playout(time.Now())
	l.capture(0.5)
	l.playout(time.Now().Add(-mostWait))
	wantCount(t, "waited", l.counters().Waited, 0)
	wantCount(t, "unanswered", l.counters().Unanswered, 1)
	l.capture(0.5)
	l.playout(time.Now().Add(time.Hour)) // no start of a cycle is ahead
	wantCount(t, "waited", l.counters().Waited, 1)
}

func TestALeaderDoesNotWaitBeforeTheFirstAnswerNorForADeadFollower(t *testing.T) {
	l := lead(t)
	for range 5 {
		l.playout(time.Now())
		l.capture(0.25)
	}
	wantCount(t, "waited before the first answer", l.counters().Waited, 0)
	wantCount(t, "unanswered", l.counters().Unanswered, 0)

	l = settled(t)
	l.playout(time.Now())
	l.capture(0.25)
	now := monotonicNs() + 51*int64(waitPeriod)*1e9/48000
	start := time.Now()
	rttest.Playout(l.e, make([]float32, waitPeriod), 1, waitPeriod, l.frame, now, now)
	if took := time.Since(start); took > mostWait {
		t.Errorf("took %v", took)
	}
	wantCount(t, "waited for the dead", l.counters().Waited, 0)
}

// It lasts until both ends agree again, a moment.
func TestALeaderWhosePeriodChangedIsSilentWaitsForNothingAndReadsOn(t *testing.T) {
	stopping := map[int]time.Duration{}
	for n := range 6 { // some times each: the machine may be busy
		frames := []int{64, 4096}[n%2]
		l := settled(t)
		l.playout(time.Now())
		l.capture(0.5)
		l.answer(1, waitParts) // not all: there is something to wait for
		before := l.counters()
		for cycle := range 4 {
			plane := slices.Repeat([]float32{1}, frames)
			now := monotonicNs()
			rttest.Playout(l.e, plane, 1, frames, l.frame, now, now)
			if slices.ContainsFunc(plane, func(x float32) bool { return x != 0 }) {
				t.Errorf("period %d, cycle %d: sound", frames, cycle)
			}
			l.frame += uint64(frames)
		}
		r := l.counters()
		wantCount(t, "waited", r.Waited, before.Waited)
		wantCount(t, "unanswered", r.Unanswered, before.Unanswered)
		wantCount(t, "concealed", r.ConcealedFrames, before.ConcealedFrames)
		wantCount(t, "packets read", r.Packets-before.Packets, waitParts-1)
		start := time.Now()
		l.e.StopReceiver()
		if took := time.Since(start); n < 2 || took < stopping[frames] {
			stopping[frames] = took
		}
	}
	for frames, took := range stopping {
		if took >= 60*time.Millisecond {
			t.Errorf("period %d: stopping took %v: it waited for a fade-out that never comes", frames, took)
		}
	}
}

// Also where the new period is the longer one, and when the graph comes back to the agreed one.
func TestALeaderPlaysAnswersOfTheAgreedPeriodOnly(t *testing.T) {
	const agreed = 64
	v, err := rt.NewVirtual(48000)
	check(t, err)
	t.Cleanup(v.Close)
	mono := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 1}
	check(t, v.StartSender(stream.SendPlan{Format: mono, PayloadType: 98, PacketFrames: agreed, SSRC: 1, Lock: stream.Leads}))
	check(t, v.StartReceiver(stream.ReceivePlan{Format: mono, PayloadType: 98, SSRC: 2, Lock: stream.Leads, PeriodFrames: agreed, AnswerPeriods: 1}))
	var answers [][]byte
	frame := uint64(0)
	cycle := func(frames int) []float32 {
		ns := int64(1e9 + frame*1e9/48000)
		if frames == agreed {
			v.Expect(frame)
		}
		for _, answer := range answers {
			v.Receive(answer, ns)
		}
		out := slices.Clone(v.Play(1, frames, frame, ns)[0])
		answers = v.Capture([][]float32{slices.Repeat([]float32{0.5}, frames)}, frame, ns)
		for _, answer := range answers {
			answer[1] &^= 0x80 // it goes on from the one before
			binary.BigEndian.PutUint32(answer[8:], 2)
		}
		frame += uint64(frames)
		return out
	}
	sounds := func(x float32) bool { return x != 0 }
	for range 20 {
		cycle(agreed)
	}
	for _, other := range []int{agreed / 2, agreed - 1, agreed + 1, 2 * agreed, 8192} {
		before := v.Counters().Received
		for range 20 {
			if out := cycle(other); slices.ContainsFunc(out, sounds) {
				t.Fatalf("sound in a cycle of %d frames", other)
			}
		}
		if r := v.Counters().Received; r.Unanswered != before.Unanswered || r.ConcealedFrames != before.ConcealedFrames {
			t.Errorf("period %d: %d unanswered, %d frames concealed", other, r.Unanswered-before.Unanswered, r.ConcealedFrames-before.ConcealedFrames)
		}
		for range 20 {
			cycle(agreed)
		}
		if out := cycle(agreed); out[0] != 0.5 || out[agreed-1] != 0.5 {
			t.Errorf("behind cycles of %d frames: played %v", other, out)
		}
	}
}

// Whoever is the peer and sends what is no answer cannot hold the graph.
func TestALeaderThatIsFloodedWaitsInFewRounds(t *testing.T) {
	const datagrams = 5000
	l := settled(t)
	l.playout(time.Now())
	l.capture(0.5)
	stop := make(chan struct{})
	flooded := make(chan struct{})
	go func() {
		defer close(flooded)
		to := net.UDPAddrFromAddrPort(l.e.LocalAddr())
		report := []byte{0x80, 201, 0, 1, 0, 0, 0, 2}
		for range datagrams {
			select {
			case <-stop:
				return
			default:
				_, _ = l.follower.WriteToUDP(report, to)
				time.Sleep(20 * time.Microsecond)
			}
		}
	}()
	_, took := l.playout(time.Now())
	close(stop)
	<-flooded
	if took > mostWait+150*time.Millisecond {
		t.Errorf("took %v, may wait %v", took, mostWait)
	}
}

// On real sockets: what the follow function reads, and what it leaves.
func TestAFollowerReadsNoMoreThanItsNextCycle(t *testing.T) {
	n := open(t, "127.0.0.43:0")
	leader, send := stranger(t, "127.0.0.44:0")
	from := leader.LocalAddr().(*net.UDPAddr).AddrPort()
	mono := stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 2}
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: mono, PayloadType: 98, SSRC: 1, From: from.Addr(), Lock: stream.Follows, PeriodFrames: period}))
	check(t, n.e.StartSender(stream.SendPlan{Format: mono, PayloadType: 98, PacketFrames: period, SSRC: 2, To: from, Lock: stream.Follows}))
	n.e.Follow(48000, period)
	marked := func(sequence uint16) []byte {
		b := media(sequence, 1, float32(sequence))
		b[1] |= 0x80
		return b
	}
	if start, wake := rttest.Follow(n.e, rt.FollowTimer, monotonicNs()); !start || wake <= 0 {
		t.Fatalf("without a leader: start %v, wake %d", start, wake)
	}
	for sequence := range uint16(3) {
		send(n.e.LocalAddr(), marked(sequence))
	}
	why := rt.FollowDone
	for sequence := range uint16(3) {
		start, _ := rttest.Follow(n.e, why, monotonicNs())
		if packets := n.received().Packets; !start || packets != uint64(sequence)+1 {
			t.Fatalf("cycle %d: start %v, %d packets read", sequence, start, packets)
		}
		n.play()
		n.capture(float32(sequence) / 8)
		datagram := make([]byte, 1500)
		check(t, leader.SetReadDeadline(time.Now().Add(5*time.Second)))
		size, _, err := leader.ReadFromUDPAddrPort(datagram)
		check(t, err)
		if timestamp := binary.BigEndian.Uint32(datagram[4:]); timestamp != uint32(sequence)*period || size != 12+8*period {
			t.Errorf("answer %d has the timestamp %d and %d bytes", sequence, timestamp, size)
		}
		if value := math.Float32frombits(binary.LittleEndian.Uint32(datagram[12:])); value != float32(sequence)/8 {
			t.Errorf("answer %d holds %v", sequence, value)
		}
	}
	if start, _ := rttest.Follow(n.e, why, monotonicNs()); start {
		t.Error("a cycle without a packet")
	}
	if n.e.Callbacks().Socket < 0 {
		t.Error("nobody can wait for the socket")
	}
}

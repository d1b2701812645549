package rt

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"archibald-bridge/bridge/stream"
)

const (
	ledPeriod = 64
	ledBase   = uint32(0xfffffe00) // the leader's timestamps wrap soon
	noCycle   = math.MinInt64
)

// led is a follower whose leader, network and clock are the test's. One period of the leader
// is packets packets, which have the marker where cycle says so.
type led struct {
	t        *testing.T
	v        *Virtual
	ns       int64
	wakeNs   int64
	socket   [][]byte
	sequence uint16
	marked   bool // the newest answer
}

func newLed(t *testing.T) *led {
	t.Helper()
	v, err := NewVirtual(48000)
	check(t, err)
	t.Cleanup(v.Close)
	l := &led{t: t, v: v, ns: 1e9, sequence: 65530}
	v.Follow(48000, ledPeriod)
	l.plan(playerSSRC)
	return l
}

func (l *led) plan(ssrc uint32) {
	l.t.Helper()
	f := formatF32(1)
	check(l.t, l.v.StartReceiver(stream.ReceivePlan{Format: f, PayloadType: 98, SSRC: ssrc, Lock: stream.Follows, PeriodFrames: ledPeriod}))
	check(l.t, l.v.StartSender(stream.SendPlan{Format: f, PayloadType: 98, PacketFrames: ledPeriod, SSRC: 9, Lock: stream.Follows}))
}

func periodsNs(n float64) int64 { return int64(math.Round(n * ledPeriod * 1e9 / 48000)) }

// packet is the leader's next packet: of frames from media on, which is 0 at ledBase.
func (l *led) packet(media int64, frames int, marker bool) []byte {
	p := player{base: ledBase, channels: 1, source: ledSound}
	b := p.packetOf(l.sequence, media, frames)
	if marker {
		b[1] |= 0x80
	}
	l.sequence++
	return b
}

func ledSound(media int64) float32 { return float32(media%1009)/1009 + 1 }

// cycle is a whole cycle of the leader in one packet.
func (l *led) cycle(media int64) []byte { return l.packet(media, ledPeriod, true) }

// step calls the follow function at a time, with packets that have come by then.
func (l *led) step(why FollowWhy, ns int64, came ...[]byte) bool {
	l.t.Helper()
	l.ns = ns
	l.socket = append(l.socket, came...)
	start, wakeNs := l.v.Step(why, ns, func() ([]byte, int64, bool) {
		if len(l.socket) == 0 {
			return nil, 0, false
		}
		p := l.socket[0]
		l.socket = l.socket[1:]
		return p, ns, true
	})
	if wakeNs <= ns {
		l.t.Fatalf("wake at %d, it is %d", wakeNs, ns)
	}
	l.wakeNs = wakeNs
	return start
}

// run is the graph's cycle: what was played, and the timestamps that were sent.
func (l *led) run() (played []float32, sent []uint32) {
	out := l.v.Play(1, ledPeriod, 7, l.ns)
	played = slices.Clone(out[0])
	for _, d := range l.v.Capture([][]float32{played}, 7, l.ns) {
		sent = append(sent, uint32(d[4])<<24|uint32(d[5])<<16|uint32(d[6])<<8|uint32(d[7]))
		l.marked = d[1]&0x80 != 0
	}
	return played, sent
}

// wantCycle runs the cycle that was started and holds it to the leader's at media: its
// answer, and its sound from a frame on, ledPeriod: none of it.
func (l *led) wantCycle(started bool, media int64, soundFrom int) {
	l.t.Helper()
	if !started {
		l.t.Fatalf("the cycle at %d was not started", media)
	}
	played, sent := l.run()
	if !slices.Equal(sent, []uint32{ledBase + uint32(media)}) {
		l.t.Fatalf("answers %d, want the one to %d", sent, ledBase+uint32(media))
	}
	for i := soundFrom; i < ledPeriod; i++ {
		if played[i] != ledSound(media+int64(i)) {
			l.t.Fatalf("cycle at %d frame %d: %v, want %v", media, i, played[i], ledSound(media+int64(i)))
		}
	}
}

func (l *led) wantNone(started bool) {
	l.t.Helper()
	if started {
		l.t.Fatal("a cycle was started")
	}
}

// lead runs cycles of the leader from media on, one each period, and returns where the next
// one is.
func (l *led) lead(media int64, cycles int) int64 {
	l.t.Helper()
	for i := range cycles {
		from := 0
		if i == 0 {
			from = ledPeriod // it fades in
		}
		l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(media)), media, from)
		l.wantNone(l.step(FollowDone, l.ns+1000))
		l.ns -= 1000
		media += ledPeriod
	}
	return media
}

// leadInParts runs a cycle that comes in packets of so many frames.
func (l *led) leadInParts(media int64, parts ...int) int64 {
	l.t.Helper()
	l.ns += periodsNs(1)
	for i, frames := range parts {
		started := l.step(FollowReadable, l.ns+10, l.packet(media, frames, i == 0))
		media += int64(frames)
		if i < len(parts)-1 {
			l.wantNone(started)
		} else {
			l.wantCycle(started, media-ledPeriod, 0)
		}
	}
	l.wantNone(l.step(FollowDone, l.ns+1000))
	return media
}

func (l *led) received() stream.ReceiveCounters { return l.v.Counters().Received }

func TestACycleRunsWhenAllOfItIsThere(t *testing.T) {
	l := newLed(t)
	at := l.leadInParts(l.lead(0, 20), 20, 30, 14)
	first, second, third := l.packet(at, 20, true), l.packet(at+20, 30, false), l.packet(at+50, 14, false)
	l.wantNone(l.step(FollowReadable, l.ns+periodsNs(1), first))
	l.wantNone(l.step(FollowReadable, l.ns+10, third))
	l.wantNone(l.step(FollowReadable, l.ns+10, first))
	l.wantCycle(l.step(FollowReadable, l.ns+10, second), at, 0)
	wantCount(t, "made up", l.received().MadeUp, 0)
	wantCount(t, "reordered", l.received().Reordered, 1)
	wantCount(t, "duplicate", l.received().Duplicate, 1)
}

func TestTheFirstCycleBeginsAtAMarker(t *testing.T) {
	l := newLed(t)
	l.step(FollowTimer, l.ns)
	l.step(FollowDone, l.ns+1)
	l.wantNone(l.step(FollowReadable, l.ns+10, l.packet(-32, 32, false)))
	l.wantCycle(l.step(FollowReadable, l.ns+10, l.cycle(0)), 0, ledPeriod)
}

func TestWhatComesWhileACycleRunsWaitsInTheSocket(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)), at, 0)
	l.wantNone(l.step(FollowReadable, l.ns+1000, l.cycle(at+64)))
	l.wantNone(l.step(FollowReadable, l.ns+1000, l.cycle(at+128)))
	wantCount(t, "packets read", l.received().Packets, 21)
	l.wantCycle(l.step(FollowDone, l.ns+1000), at+64, 0)
	l.wantNone(l.step(FollowTimer, l.ns+1000))
	l.wantCycle(l.step(FollowDone, l.ns+1000), at+128, 0)
	l.wantNone(l.step(FollowDone, l.ns+1000))
	l.wantNone(l.step(FollowDone, l.ns+1000)) // nobody asked
}

func TestLostCyclesAreMadeUpOnceALaterPacketShowsIt(t *testing.T) {
	for missing := 1; missing <= 8; missing++ {
		t.Run(fmt.Sprint(missing), func(t *testing.T) {
			l := newLed(t)
			at := l.lead(0, 20)
			l.sequence += uint16(missing)
			l.wantNone(l.step(FollowReadable, l.ns+periodsNs(1)))
			began := l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at+int64(missing)*ledPeriod))
			for range missing {
				l.wantCycle(began, at, ledPeriod)
				at += ledPeriod
				began = l.step(FollowDone, l.ns+1000)
			}
			l.wantCycle(began, at, ledPeriod)
			l.wantNone(l.step(FollowDone, l.ns+1000))
			l.lead(at+ledPeriod, 5)
			wantCount(t, "lost", l.received().Lost, uint64(missing))
			wantCount(t, "made up", l.received().MadeUp, uint64(missing))
			wantCount(t, "concealed", l.received().ConcealedFrames, uint64(missing*ledPeriod))
		})
	}
}

func TestALongerGapIsJumped(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20) + 9*ledPeriod
	l.sequence += 9
	l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(2), l.cycle(at)), at, ledPeriod)
	wantCount(t, "made up", l.received().MadeUp, 0)
}

func TestALostPartOfACycleIsMadeUp(t *testing.T) {
	l := newLed(t)
	at := l.leadInParts(l.lead(0, 20), 32, 32)
	first := l.packet(at, 32, true)
	l.sequence++ // the second is lost, and the first of the next cycle
	l.sequence++
	l.wantNone(l.step(FollowReadable, l.ns+periodsNs(1), first))
	l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(1), l.packet(at+96, 32, false)), at, ledPeriod)
	at += ledPeriod
	l.wantNone(l.step(FollowDone, l.ns+1000))
	l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at+64)), at, ledPeriod)
	l.wantCycle(l.step(FollowDone, l.ns+1000), at+64, ledPeriod)
	wantCount(t, "made up", l.received().MadeUp, 2)
}

func TestTheFollowerJumpsWithItsLeader(t *testing.T) {
	for _, jump := range []int64{1, 10, 63, 64, 65, 1000, 40000, 1 << 30, -1, -10, -64, -100, -3000, -50000} {
		t.Run(fmt.Sprint(jump), func(t *testing.T) {
			l := newLed(t)
			at := l.lead(0, 100) + jump
			l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)), at, ledPeriod)
			l.wantNone(l.step(FollowDone, l.ns+1000))
			at = l.lead(at+ledPeriod, 1) // the end of the cross-fade
			l.wantNone(l.step(FollowTimer, l.ns+2000))
			for range 20 {
				l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)), at, 0)
				l.wantNone(l.step(FollowDone, l.ns+1000))
				at += ledPeriod
			}
			r := l.received()
			wantCount(t, "lost", r.Lost, 0)
			wantCount(t, "made up", r.MadeUp, 0)
			wantCount(t, "concealed", r.ConcealedFrames, 0)
			wantCount(t, "late", r.DiscardedLate, 0)
			wantCount(t, "skips of the sender", l.v.Counters().Sent.Skips, 0)
		})
	}
}

// The cycle before the jump is not whole.
func TestAJumpAfterALossMakesUpWhatIsBetween(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	l.sequence++
	jumped := at + ledPeriod + 10
	l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(2), l.cycle(jumped)), at, ledPeriod)
	l.wantCycle(l.step(FollowDone, l.ns+1000), jumped, ledPeriod)
	wantCount(t, "made up", l.received().MadeUp, 1)
}

func TestTheTimerTakesOverAfterThreePeriodsAndKeepsTime(t *testing.T) {
	l := newLed(t)
	l.lead(0, 20)
	lastNs := l.ns
	l.wantNone(l.step(FollowTimer, lastNs+periodsNs(3)-1))
	if l.wakeNs != lastNs+periodsNs(3) {
		t.Errorf("wake %d ns after the last cycle, want 3 periods", l.wakeNs-lastNs)
	}
	const cycles = 3000
	for i := range cycles {
		if d := l.wakeNs - lastNs - periodsNs(3+float64(i)); d < -1 || d > 1 {
			t.Fatalf("cycle %d of the timer is %d ns from its time", i, d)
		}
		// The timer comes late, and the cycle ends late.
		if !l.step(FollowTimer, l.wakeNs+int64(i%7)*50000) {
			t.Fatalf("cycle %d of the timer does not run", i)
		}
		if _, sent := l.run(); len(sent) > 0 {
			t.Fatal("an answer to nothing was sent")
		}
		l.wantNone(l.step(FollowDone, l.ns+300000))
	}
	r := l.received()
	wantCount(t, "takeovers", r.Takeovers, 1)
	wantCount(t, "made up, within a second", r.MadeUp, 750)
	wantCount(t, "concealed, within a second", r.ConcealedFrames, 48000)
}

func TestTheTimerRunsWithoutALeader(t *testing.T) {
	l := newLed(t)
	l.v.StopReceiver()
	ns := l.ns
	for i := range 100 {
		if !l.step(FollowTimer, ns+periodsNs(float64(i))+1) {
			t.Fatalf("cycle %d does not run", i)
		}
		played, sent := l.run()
		if len(sent) > 0 || slices.ContainsFunc(played, func(x float32) bool { return x != 0 }) {
			t.Fatal("sound without a leader")
		}
		l.wantNone(l.step(FollowDone, l.ns+1000))
	}
	r := l.received()
	wantCount(t, "made up", r.MadeUp+r.Takeovers+r.ConcealedFrames, 0)
}

func TestTheFirstPacketThatReturnsIsUsedAtOnce(t *testing.T) {
	for name, ahead := range map[string]int64{"as counted": 0, "further": 640, "far away": 1 << 29, "behind": -192, "from the beginning": -1200} {
		t.Run(name, func(t *testing.T) {
			l := newLed(t)
			at := l.lead(0, 20)
			for range 5 {
				if !l.step(FollowTimer, l.wakeNs+100) {
					t.Fatal("the timer does not take over")
				}
				l.run()
				l.wantNone(l.step(FollowDone, l.ns+1000))
				at += ledPeriod
			}
			at += ahead
			l.wantCycle(l.step(FollowReadable, l.ns+5000, l.cycle(at)), at, ledPeriod)
			l.wantNone(l.step(FollowDone, l.ns+1000))
			l.lead(at+ledPeriod, 3)
			wantCount(t, "takeovers", l.received().Takeovers, 1)
		})
	}
}

// So the leader knows that the sound between was not sent, and cross-fades.
func TestAnAnswerBehindCyclesOfTheTimerIsMarked(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 1)
	if !l.marked {
		t.Error("the first answer has no marker")
	}
	at = l.lead(at, 20)
	l.sequence += 2 // made up, and sent
	at += 2 * ledPeriod
	for start := l.step(FollowReadable, l.ns+periodsNs(2), l.cycle(at)); start; start = l.step(FollowDone, l.ns+1000) {
		l.run()
		if l.marked {
			t.Error("an answer in a row has the marker")
		}
	}
	l.step(FollowTimer, l.wakeNs)
	l.run()
	l.step(FollowDone, l.ns+1000)
	l.lead(at+ledPeriod, 1)
	if !l.marked {
		t.Error("behind a cycle of the timer is no marker")
	}
	l.lead(at+2*ledPeriod, 1)
	if l.marked {
		t.Error("the marker stays")
	}
}

func TestACycleThatDoesNotEndIsGivenUpAfterThreePeriods(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)), at, 0)
	began := l.ns
	l.wantNone(l.step(FollowReadable, began+periodsNs(1), l.cycle(at+64)))
	l.wantNone(l.step(FollowReadable, began+periodsNs(3)-1, l.cycle(at+128)))
	l.wantCycle(l.step(FollowTimer, l.wakeNs), at+64, 0)
	if l.ns != began+periodsNs(3) {
		t.Errorf("given up after %d ns", l.ns-began)
	}
	l.wantCycle(l.step(FollowDone, l.ns+1000), at+128, 0)
	wantCount(t, "given up", l.received().GivenUp, 1)
}

// backlog has cycles of the leader wait in the socket, the newest for almost no time.
func (l *led) backlog(at int64, cycles int) (step func(FollowWhy) bool) {
	var came [][]byte
	for i := range cycles {
		came = append(came, l.cycle(at+int64(i*ledPeriod)))
	}
	arrived := l.ns
	l.ns += periodsNs(float64(cycles)) - 1000
	next := 0
	return func(why FollowWhy) bool {
		start, _ := l.v.Step(why, l.ns, func() ([]byte, int64, bool) {
			next++
			return came[next-1], arrived + periodsNs(float64(next)), true
		})
		return start
	}
}

func TestCyclesOlderThanEightPeriodsAreNotRun(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	step := l.backlog(at, 15)
	l.wantCycle(step(FollowTimer), at+6*ledPeriod, ledPeriod)
	r := l.received()
	wantCount(t, "skips", r.Skips, 6)
	wantCount(t, "skipped frames", r.SkippedFrames, 6*ledPeriod)
	wantCount(t, "takeovers", r.Takeovers, 0)
}

// More than is read at once: the timer runs a cycle meanwhile, which nobody hears.
func TestALongBacklogIsReadInParts(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	step := l.backlog(at, 30)
	if !step(FollowTimer) {
		t.Fatal("no cycle of the timer")
	}
	if _, sent := l.run(); len(sent) > 0 {
		t.Error("it was answered")
	}
	l.wantCycle(step(FollowDone), at+21*ledPeriod, ledPeriod)
	r := l.received()
	wantCount(t, "skips", r.Skips, 21)
	wantCount(t, "takeovers", r.Takeovers, 1)
}

// What it leaves in the socket it looks for again soon, not when the timer would take over.
func TestAFollowerThatIsFloodedReadsALimitedNumberAtOnce(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	var flood [][]byte
	for range 1000 {
		flood = append(flood, l.packet(at-ledPeriod, ledPeriod, false)) // starts nothing
	}
	l.wantNone(l.step(FollowReadable, l.ns+periodsNs(1), flood...))
	for before := 1000; before > 0; {
		left := len(l.socket)
		if read := before - left; read > 16 || left > 0 && l.wakeNs > l.ns+periodsNs(0.125) {
			t.Fatalf("%d packets were read at once, %d are left, wake %d ns later", read, left, l.wakeNs-l.ns)
		}
		before = left
		l.wantNone(l.step(FollowReadable, l.ns+1000))
	}
	l.wantCycle(l.step(FollowReadable, l.ns+1000, l.cycle(at)), at, 0)
}

func TestALeaderThatRestartedIsFollowed(t *testing.T) {
	l := newLed(t)
	l.lead(0, 20)
	l.plan(playerSSRC)
	l.sequence = 7
	l.lead(-100000, 5)
}

func TestACycleThatNobodyAskedForIsSilenceAndSendsNothing(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	before := l.received()
	for range 3 {
		played, sent := l.run()
		if len(sent) > 0 || slices.ContainsFunc(played, func(x float32) bool { return x != 0 }) {
			t.Fatalf("%d packets; %v", len(sent), played)
		}
	}
	if now := l.received(); now.ConcealedFrames != before.ConcealedFrames || now.MadeUp != before.MadeUp || now.Skips != before.Skips {
		t.Errorf("counted %+v, before %+v", now, before)
	}
	l.wantCycle(l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)), at, 0)
}

// JACK may run capture before playout, or both at once.
func TestTheAnswerDoesNotNeedPlayoutFirst(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	if !l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)) {
		t.Fatal("no cycle")
	}
	if sent := l.v.Capture([][]float32{make([]float32, ledPeriod)}, 7, l.ns); len(sent) != 1 {
		t.Errorf("%d packets", len(sent))
	}
	if out := l.v.Play(1, ledPeriod, 7, l.ns); out[0][5] != ledSound(at+5) {
		t.Errorf("played %v", out[0][5])
	}
}

func TestALeaderOfAnotherPeriodStartsNothing(t *testing.T) {
	l := newLed(t)
	media := int64(0)
	started := 0
	for range 400 {
		if l.step(FollowReadable, l.ns+periodsNs(0.5), l.packet(media, 32, true)) {
			l.run()
			l.step(FollowDone, l.ns+1000)
			started++
		}
		media += 32
	}
	if started < 190 || started > 210 {
		t.Errorf("%d cycles in 200 periods", started)
	}
}

func TestAGraphOfAnotherPeriodPlaysAndSendsNothing(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	if !l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)) {
		t.Fatal("no cycle")
	}
	out := l.v.Play(1, 2*ledPeriod, 7, l.ns)
	sent := l.v.Capture([][]float32{make([]float32, 2*ledPeriod)}, 7, l.ns)
	if len(sent) > 0 || slices.ContainsFunc(out[0], func(x float32) bool { return x != 0 }) {
		t.Errorf("%d packets, sound %v", len(sent), out[0])
	}
}

func TestWithoutFollowNothingIsStarted(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 5)
	l.v.Follow(0, 0)
	for range 20 {
		l.wantNone(l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)))
		at += ledPeriod
	}
	if _, sent := l.run(); len(sent) > 0 {
		t.Error("an answer was sent")
	}
}

// Its media clock has counted the time of the leader's cycles, none of them, and of those that
// nobody asked for.
func TestAGraphThatFollowedGoesOnWithItsOwnClock(t *testing.T) {
	for name, last := range map[string]func(l *led, at int64){
		"behind cycles of the leader":        func(*led, int64) {},
		"behind one that nobody asked for":   func(l *led, _ int64) { l.run() },
		"behind one that did not play":       func(l *led, at int64) { l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)) },
		"behind one of the follower's timer": func(l *led, _ int64) { l.step(FollowTimer, l.wakeNs); l.run() },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLed(t)
			l.v.Follow(0, 0)
			const own = 10
			for n := range uint64(own) {
				l.v.Advance(ledPeriod, n*ledPeriod, l.ns+periodsNs(float64(n)))
			}
			began := l.ns
			l.v.Follow(48000, ledPeriod)
			l.ns += periodsNs(own)
			last(l, l.lead(1<<20, 20))
			l.v.Follow(0, 0)
			check(t, l.v.StartSender(stream.SendPlan{Format: formatF32(1), PayloadType: 98, PacketFrames: ledPeriod, SSRC: 9}))
			for n := range int64(3) {
				ns := began + periodsNs(float64(100+n))
				l.v.Advance(ledPeriod, uint64(5000+n*ledPeriod), ns)
				if media, want := l.v.Media(), (100+n)*ledPeriod; media != want {
					t.Fatalf("the media clock is at %d, want %d", media, want)
				}
				sent := l.v.Capture([][]float32{make([]float32, ledPeriod)}, uint64(5000+n*ledPeriod), ns)
				if len(sent) != 1 {
					t.Fatalf("%d packets of a cycle", len(sent))
				}
				if timestamp := binary.BigEndian.Uint32(sent[0][4:]); timestamp != l.v.firstTimestamp+uint32((100+n)*ledPeriod) {
					t.Fatalf("timestamp %d, want %d", timestamp, l.v.firstTimestamp+uint32((100+n)*ledPeriod))
				}
			}
		})
	}
}

// A muted receiver fades out and stays silent; the graph goes on.
func TestAMutedFollowerRunsInSilence(t *testing.T) {
	l := newLed(t)
	at := l.lead(0, 20)
	l.v.Mute()
	l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at))
	l.run()
	l.step(FollowDone, l.ns+1000)
	cycles := 0
	for range 20 {
		at += ledPeriod
		if l.step(FollowReadable, l.ns+periodsNs(1), l.cycle(at)) {
			played, _ := l.run()
			if slices.ContainsFunc(played, func(x float32) bool { return x != 0 }) {
				t.Fatal("sound of a muted receiver")
			}
			cycles++
			l.step(FollowDone, l.ns+1000)
		}
	}
	if cycles < 17 {
		t.Errorf("%d cycles in 20 periods", cycles)
	}
}

func TestTheFirstPacketOfEachCycleOfALeaderHasTheMarker(t *testing.T) {
	for _, lock := range []stream.Lock{stream.Unlocked, stream.Leads} {
		v, err := NewVirtual(48000)
		check(t, err)
		t.Cleanup(v.Close)
		check(t, v.StartSender(stream.SendPlan{Format: formatF32(1), PayloadType: 98, PacketFrames: 30, SSRC: 1, Lock: lock}))
		var markers []bool
		for n := range uint64(4) {
			v.Advance(64, n*64, int64(1e9+n*64*1e9/48000))
			for _, d := range v.Capture([][]float32{make([]float32, 64)}, n*64, int64(1e9+n*64*1e9/48000)) {
				markers = append(markers, d[1]&0x80 != 0)
			}
		}
		want := make([]bool, 8)
		if lock == stream.Leads { // 30 frames, 30 and 4: a cycle is sent whole
			want = []bool{true, false, false, true, false, false, true, false, false, true, false, false}
		}
		if !slices.Equal(markers, want) {
			t.Errorf("lock %d: markers %v, want %v", lock, markers, want)
		}
	}
}

func TestPlansOfALockedSessionAreChecked(t *testing.T) {
	v, err := NewVirtual(48000)
	check(t, err)
	t.Cleanup(v.Close)
	receive := func(change func(*stream.ReceivePlan)) error {
		p := stream.ReceivePlan{Format: formatF32(1), PayloadType: 98, Lock: stream.Leads, PeriodFrames: 64, AnswerPeriods: 1, MostWait: 333 * 1000}
		change(&p)
		return v.StartReceiver(p)
	}
	send := func(change func(*stream.SendPlan)) error {
		p := stream.SendPlan{Format: formatF32(1), PayloadType: 98, PacketFrames: 64, Lock: stream.Leads}
		change(&p)
		return v.StartSender(p)
	}
	for want, err := range map[string]error{
		"":  receive(func(*stream.ReceivePlan) {}),
		" ": send(func(p *stream.SendPlan) { p.Repeats.Copies = 2 }),
		"period of 0 frames of the leader: legal are 1 to 8192":                            receive(func(p *stream.ReceivePlan) { p.PeriodFrames = 0 }),
		"answers after 3 periods: legal are 1 and 2":                                       receive(func(p *stream.ReceivePlan) { p.AnswerPeriods = 3 }),
		"wait of 400µs for an answer: legal are 0 to 333.333µs, a quarter of the period":   receive(func(p *stream.ReceivePlan) { p.MostWait = 400 * 1000 }),
		"stream of 48000 Hz in a graph of 96000 Hz: legal is one rate where one end leads": receive(func(p *stream.ReceivePlan) { p.GraphRateHz = 96000 }),
		"format coded/48000/2 in a locked session: legal are L16, L24, F32": send(func(p *stream.SendPlan) {
			p.Format = stream.Format{Encoding: stream.Coded, RateHz: 48000, Channels: 2}
		}),
		"repeats 64 frames later in a locked session: legal is 0": send(func(p *stream.SendPlan) { p.Repeats = stream.Repeats{Copies: 1, DistanceFrames: 64} }),
	} {
		if want == "" || want == " " {
			check(t, err)
		} else if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

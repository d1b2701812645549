package clock

import (
	"math"
	"math/rand/v2"
	"testing"

	"archibald-bridge/bridge/stream"
)

func TestNothingIsDecidedBeforePacketsAndCyclesWereSeen(t *testing.T) {
	packet := stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: 1 << 20, TimeNs: 1e9}
	cycle := stream.Observation{Kind: stream.KindCycle, Frames: 64, Media: 5, TimeNs: 9e9}
	for name, observations := range map[string][]stream.Observation{
		"nothing": nil, "packets": {packet}, "cycles": {cycle}, "neither kind": {{Kind: 7, TimeNs: 5}},
	} {
		s := NewServo(Config{RateHz: testRate})
		for _, o := range observations {
			s.Observe(o)
		}
		if d := s.Decide(); d != (Decision{Ratio: 1}) {
			t.Errorf("%s: %+v", name, d)
		}
		if st := s.Status(); st.Playing {
			t.Errorf("%s: playing", name)
		}
	}
}

func TestFirstSoundComesAfterLearning(t *testing.T) {
	for _, c := range []struct {
		name           string
		cfg            Config
		earliest, last float64
	}{
		{"jitter unknown", Config{}, 0.5, 0.53},
		{"jitter known", Config{JitterFrames: 32}, 0.1, 0.13},
		{"latency fixed", Config{LatencyFrames: 200}, 0.1, 0.13},
	} {
		p := newPlant(t, c.cfg)
		p.run(1)
		if p.seeks != 1 || p.lastSeek < c.earliest || p.lastSeek > c.last {
			t.Errorf("%s: %d seeks, the last at %.3f s", c.name, p.seeks, p.lastSeek)
		}
		p.atTarget(3)
	}
}

func TestPlayoutIsHeldAtTheTargetWhicheverIsObservedFirst(t *testing.T) {
	for _, cycleFirst := range []bool{false, true} {
		for _, ppm := range []float64{-300, 0, 120} {
			p := newPlant(t, Config{Free: true})
			p.packetsMid, p.ppm = cycleFirst, ppm
			p.run(60)
			p.atTarget(1.5)
			if p.seeks != 1 || math.Abs(p.servo.Status().DriftPPM-ppm) > 1 {
				t.Errorf("cycle first %v, %+.0f ppm: %d seeks, found %.2f ppm", cycleFirst, ppm, p.seeks, p.servo.Status().DriftPPM)
			}
		}
	}
}

func TestCyclesRunLongBeforeTheFirstPacket(t *testing.T) {
	p := newPlant(t, Config{Free: true})
	p.silent = true
	p.run(100)
	p.silent = false
	p.run(110)
	if p.lastSeek < 100.5 || p.lastSeek > 100.55 || p.seeks != 1 {
		t.Errorf("%d seeks, the last at %.2f s", p.seeks, p.lastSeek)
	}
	p.atTarget(2)
}

func TestTimestampsAtTheEdges(t *testing.T) {
	for name, start := range map[string][2]int64{
		"packet past 2^32":   {1<<32 - 5*64, 0},
		"packet past 2^63":   {math.MaxInt64 - 40000, 0},
		"media past 2^63":    {0, math.MaxInt64 - 40000},
		"both near the ends": {math.MinInt64, math.MaxInt64 - 100},
		"negative":           {-1 << 40, -1 << 41},
	} {
		p := newPlant(t, Config{LatencyFrames: 200})
		p.timestamp, p.media = start[0], start[1]
		p.run(5)
		if p.seeks != 1 {
			t.Errorf("%s: %d seeks", name, p.seeks)
		}
		p.atTarget(2)
	}
}

func TestJumpOfTheLocalMediaClockIsOneSeek(t *testing.T) {
	for _, period := range []int{64, 1024} {
		for _, jump := range []int64{48000, -48000, 1 << 40} {
			p := newPlant(t, Config{LatencyFrames: 2000})
			p.period = period
			p.run(20)
			p.media += jump // and playout stays where it was: no lost time
			p.run(30)
			if p.seeks > 2 {
				t.Errorf("period %d, jump %d: %d seeks", period, jump, p.seeks)
			}
			p.atTarget(3)
		}
	}
}

func TestSenderThatStopsForAnHourIsPlayedAtOnce(t *testing.T) {
	p := newPlant(t, Config{})
	p.ppm = 30
	p.run(60)
	p.silent = true
	p.run(3660)
	p.silent = false
	p.run(3665)
	if p.seeks != 1 {
		t.Errorf("%d seeks although its clock went on", p.seeks)
	}
	p.atTarget(4)
}

func TestSenderThatWasPausedForAnHourIsFollowed(t *testing.T) {
	p := newPlant(t, Config{Free: true})
	p.run(10)
	p.silent = true
	paused := p.timestamp
	p.run(3610)
	p.silent, p.timestamp = false, paused // its clock stood still
	p.run(3612)
	if p.seeks != 2 || p.lastSeek > 3610.2 {
		t.Errorf("%d seeks, the last at %.2f s", p.seeks, p.lastSeek)
	}
	p.atTarget(2)
}

func TestSenderThatIsResetALittleEarlierIsFollowed(t *testing.T) {
	for _, back := range []int64{10000, 100000, 1 << 19, 1 << 33} {
		p := newPlant(t, Config{Free: true})
		p.run(10)
		p.timestamp -= back
		p.run(12)
		if p.seeks != 2 || p.lastSeek > 10.2 {
			t.Errorf("%d frames back: %d seeks, the last at %.2f s", back, p.seeks, p.lastSeek)
		}
		p.atTarget(2)
	}
}

func TestSeekAcknowledgedLateIsNotRepeated(t *testing.T) {
	p := newPlant(t, Config{})
	p.ppm, p.ackAfter = 100, 600 // 0.8 s
	p.run(10)
	if p.seeks != 1 {
		t.Errorf("%d seeks", p.seeks)
	}
	p.atTarget(2)
}

// The core's ring can be full just when the cycle comes that shows the seek.
func TestSeekWhoseCycleWasNeverSeenIsDecidedAgain(t *testing.T) {
	p := newPlant(t, Config{})
	p.ppm = 200
	for p.seeks == 0 {
		p.run(p.seconds() + 0.001)
	}
	p.hideCycles = 1000
	p.run(20)
	if p.seeks != 2 {
		t.Errorf("%d seeks, want the first and another", p.seeks)
	}
	p.atTarget(2)
}

func TestPlayoutThatWasMutedIsPlacedAgain(t *testing.T) {
	p := newPlant(t, Config{Free: true})
	p.run(10)
	p.playing = false
	p.run(11)
	if p.seeks != 2 {
		t.Errorf("%d seeks", p.seeks)
	}
	p.atTarget(2)
}

func TestReceiversPeriodChangeIsOneSeek(t *testing.T) {
	p := newPlant(t, Config{Free: true})
	p.run(10)
	before := p.servo.Status().TargetFrames
	p.period = 256
	p.run(20)
	if got := p.servo.Status().TargetFrames; p.seeks != 2 || got != before+192 {
		t.Errorf("%d seeks, target %.0f after %.0f", p.seeks, got, before)
	}
	p.atTarget(2)
}

func TestALockIsLeftWhenTheClocksPartAndNotFoundTooSoonAgain(t *testing.T) {
	p := newPlant(t, Config{})
	entered, left := []float64{}, []float64{}
	locked := false
	for p.seconds() < 400 {
		switch at := p.seconds(); { // a clock that comes and goes
		case at > 30 && at < 60, at > 150 && at < 180:
			p.ppm = 25
		default:
			p.ppm = 0
		}
		p.run(p.seconds() + 0.1)
		if now := p.servo.Status().RateLocked; now != locked {
			locked = now
			if now {
				entered = append(entered, p.seconds())
			} else {
				left = append(left, p.seconds())
			}
		}
	}
	t.Logf("entered %.1f, left %.1f", entered, left)
	if len(entered) != 2 || len(left) != 1 {
		t.Fatalf("entered at %.1f, left at %.1f; want 2 times and 1", entered, left)
	}
	if entered[0] < earlyLockAfter.Seconds() || left[0] < 30 || left[0] > 36 || entered[1] < 180+lateLockAfter.Seconds() {
		t.Errorf("entered at %.1f, left at %.1f", entered, left)
	}
	if p.decision.Ratio != 1 || p.ratio != 1 || p.servo.Status().RatioPPM != 0 {
		t.Errorf("locked clocks are resampled by %v", p.ratio)
	}
	if want := earlyLockAfter << len(left); p.servo.rate.patience != want {
		t.Errorf("patience %v, want %v", p.servo.rate.patience, want)
	}
	// The first sound, the resampler's look-ahead that goes, and one at most before
	// the parting is known for one. The look-ahead comes back by the ratio, and what
	// is found later does not move the latency.
	if p.seeks < 2 || p.seeks > 3 {
		t.Errorf("%d seeks", p.seeks)
	}
}

func TestClocksThatAreOneFromTheStartNeedNoLookahead(t *testing.T) {
	p := newPlant(t, Config{})
	p.run(3)
	before := p.servo.Status().TargetFrames
	p.run(30)
	s := p.servo.Status()
	if !s.RateLocked || s.TargetFrames != before-lookahead || s.LeastFrames != testPeriod+1 {
		t.Errorf("%+v after a target of %.0f", s, before)
	}
	p.atTarget(1)
}

func TestFixedLatencyIsNotMovedByALock(t *testing.T) {
	p := newPlant(t, Config{LatencyFrames: 96})
	p.run(30)
	if !p.servo.Status().RateLocked || p.seeks != 1 {
		t.Errorf("locked %v, %d seeks", p.servo.Status().RateLocked, p.seeks)
	}
	p.atTarget(1)
}

func TestPatienceHasAnEnd(t *testing.T) {
	l := newRateLock()
	for range 100 {
		l.state = rateLocked
		l.update(relation{drift: 1e-5, averageDrift: 1e-5, phase: 1000})
	}
	if l.patience != mostPatience || l.locked() {
		t.Errorf("%v, locked %v", l.patience, l.locked())
	}
}

func TestFewOutliersDoNotMoveTheSender(t *testing.T) {
	p := newPlant(t, Config{Free: true})
	p.run(10)
	for range resetOutliers - 1 {
		p.servo.Observe(stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: p.timestamp + 1<<21, TimeNs: int64(p.nowNs)})
	}
	p.run(20)
	if p.seeks != 1 {
		t.Errorf("%d seeks", p.seeks)
	}
	p.atTarget(2)
}

func TestOutliersAmongGoodPacketsDoNotMoveTheSender(t *testing.T) {
	p := newPlant(t, Config{})
	p.ppm = 200
	p.run(10)
	for range 1000 {
		p.servo.Observe(stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: p.timestamp + 1<<21, TimeNs: int64(p.nowNs)})
		p.run(p.seconds() + 0.005)
	}
	if p.seeks != 1 {
		t.Errorf("%d seeks", p.seeks)
	}
	p.atTarget(2)
}

func TestStatusTellsWhatTheServoKnows(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	p := newPlant(t, Config{LatencyFrames: 32})
	p.ppm, p.lateNs = -50, func() float64 { return r.ExpFloat64() * 40e3 }
	p.run(60)
	s := p.servo.Status()
	if !s.Playing || s.RateLocked || s.LeastFrames != 77 || s.TargetFrames != 77 {
		t.Errorf("%+v", s)
	}
	if math.Abs(s.DelayFrames-77) > 2 || math.Abs(s.DriftPPM+50) > 2 || math.Abs(s.RatioPPM+50) > 20 {
		t.Errorf("delay %.2f, drift %.2f, ratio %.2f ppm", s.DelayFrames, s.DriftPPM, s.RatioPPM)
	}
	if q := s.PDVUs; q.P50 < 10 || q.P50 > 60 || q.P99 < 100 || q.P99 > 250 || q.Max < q.P99 {
		t.Errorf("%+v", q)
	}
}

func TestCycleWithoutALegalFractionIsPassedOver(t *testing.T) {
	p := newPlant(t, Config{Free: true})
	p.run(10)
	for _, fraction := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.1, 1.1} {
		p.servo.Observe(stream.Observation{
			Kind: stream.KindCycle, Frames: 64, TimeNs: int64(p.nowNs), Media: p.media, Playing: true,
			Position: p.position, PositionFraction: fraction,
		})
	}
	p.run(20)
	if p.seeks != 1 {
		t.Errorf("%d seeks", p.seeks)
	}
	p.atTarget(2)
}

// Packets that must be decoded are read when a period of the receiver begins. Its beat
// with the sender's is no clock, but playout has to wait for it.
func TestWaitingToBeDecodedTakesLatencyAndBendsNoPitch(t *testing.T) {
	at := map[bool]Status{}
	for _, waits := range []bool{false, true} {
		p := newPlant(t, Config{Free: true})
		if waits {
			p.waitNs = func() float64 { return 5e6 - math.Mod(p.sendNs, 5e6) }
		}
		worst := 0.0
		for second := 1.0; second < 20; second += 0.1 {
			p.run(second)
			worst = max(worst, math.Abs(p.ratio-1)*1e6)
		}
		if worst > 5 {
			t.Errorf("waits %v: resampled by up to %.1f ppm", waits, worst)
		}
		p.atTarget(1.5)
		at[waits] = p.servo.Status()
	}
	if more := at[true].TargetFrames - at[false].TargetFrames; more < 180 || more > 5e6/nominalNs+96 {
		t.Errorf("waiting for up to 240 frames raised the target by %.0f", more)
	}
}

// A cut is heard in a steady tone, however well it is cross-faded, unless the sound is broken at that moment.
func TestRaisedTargetIsReachedByTheRatioAloneOrInTheNextGap(t *testing.T) {
	for _, again := range []bool{false, true} {
		p := newPlant(t, Config{Free: true})
		lateAt := []float64{20, 30}
		if !again {
			lateAt = lateAt[:1]
		}
		p.lateNs = func() float64 {
			if len(lateAt) > 0 && p.seconds() > lateAt[0] {
				lateAt = lateAt[1:]
				return 1700e3
			}
			return 0
		}
		p.run(19)
		before := p.servo.Status().TargetFrames
		most, cut, there := 0.0, 0.0, 0.0
		for p.seconds() < 60 {
			p.run(p.seconds() + 0.02)
			most = max(most, math.Abs(p.decision.Ratio-1))
			if p.decision.Seek {
				cut = p.seconds()
			}
			if there == 0 && p.servo.Status().TargetFrames == before+48 {
				there = p.seconds()
			}
		}
		if most > leadRate+5e-6 {
			t.Errorf("again %v: ratio up to %.0f ppm", again, most*1e6)
		}
		if !again && (cut != 0 || math.Abs(there-40.1) > 0.3) || again && (math.Abs(cut-30) > 0.1 || there > 30.1) {
			t.Errorf("again %v: a cut at %.2f s, at the target of %.0f after %.2f s", again, cut, before+48, there)
		}
		p.atTarget(1)
	}
}

// Each of these ends a way by which the servo hears of packets, for four minutes.
func TestMinutesInWhichNothingIsHeardProveNoMargin(t *testing.T) {
	for name, away := range map[string]func(*plant){
		"the peer is away":           func(p *plant) { p.silent = true },
		"playout is muted meanwhile": func(p *plant) { p.silent, p.playing, p.ackAfter = true, false, 1<<30 },
		"no cycle runs":              func(p *plant) { p.silent, p.hideCycles = true, 1<<30 },
	} {
		p := newPlant(t, Config{GapsPerHour: 30, JitterFrames: 96})
		p.run(65)
		away(p)
		p.run(305)
		p.silent, p.hideCycles, p.ackAfter, p.wait = false, 0, 0, 0
		p.run(330)
		if st := p.servo.Status(); st.JitterProven || st.JitterFrames != 96 {
			t.Errorf("%s: margin %d, proven %v by 30 s", name, st.JitterFrames, st.JitterProven)
		}
		if p.run(430); !p.servo.Status().JitterProven {
			t.Errorf("%s: not looked at after two minutes of sound", name)
		}
	}
}

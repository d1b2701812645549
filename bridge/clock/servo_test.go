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
		w := newWorld(t, c.cfg)
		w.run(1)
		if w.seeks != 1 || w.lastSeek < c.earliest || w.lastSeek > c.last {
			t.Errorf("%s: %d seeks, the last at %.3f s", c.name, w.seeks, w.lastSeek)
		}
		w.atTarget(3)
	}
}

func TestPlayoutIsHeldAtTheTargetWhicheverIsObservedFirst(t *testing.T) {
	for _, cycleFirst := range []bool{false, true} {
		for _, ppm := range []float64{-300, 0, 120} {
			w := newWorld(t, Config{Free: true})
			w.packetsMid, w.ppm = cycleFirst, ppm
			w.run(60)
			w.atTarget(1.5)
			if w.seeks != 1 || math.Abs(w.servo.Status().DriftPPM-ppm) > 1 {
				t.Errorf("cycle first %v, %+.0f ppm: %d seeks, found %.2f ppm", cycleFirst, ppm, w.seeks, w.servo.Status().DriftPPM)
			}
		}
	}
}

func TestCyclesRunLongBeforeTheFirstPacket(t *testing.T) {
	w := newWorld(t, Config{Free: true})
	w.silent = true
	w.run(100)
	w.silent = false
	w.run(110)
	if w.lastSeek < 100.5 || w.lastSeek > 100.55 || w.seeks != 1 {
		t.Errorf("%d seeks, the last at %.2f s", w.seeks, w.lastSeek)
	}
	w.atTarget(2)
}

func TestTimestampsAtTheEdges(t *testing.T) {
	for name, start := range map[string][2]int64{
		"packet past 2^32":   {1<<32 - 5*64, 0},
		"packet past 2^63":   {math.MaxInt64 - 40000, 0},
		"media past 2^63":    {0, math.MaxInt64 - 40000},
		"both near the ends": {math.MinInt64, math.MaxInt64 - 100},
		"negative":           {-1 << 40, -1 << 41},
	} {
		w := newWorld(t, Config{LatencyFrames: 200})
		w.timestamp, w.media = start[0], start[1]
		w.run(5)
		if w.seeks != 1 {
			t.Errorf("%s: %d seeks", name, w.seeks)
		}
		w.atTarget(2)
	}
}

func TestJumpOfTheLocalMediaClockIsOneSeek(t *testing.T) {
	for _, period := range []int{64, 1024} {
		for _, jump := range []int64{48000, -48000, 1 << 40} {
			w := newWorld(t, Config{LatencyFrames: 2000})
			w.period = period
			w.run(20)
			w.media += jump // and playout stays where it was: no lost time
			w.run(30)
			if w.seeks > 2 {
				t.Errorf("period %d, jump %d: %d seeks", period, jump, w.seeks)
			}
			w.atTarget(3)
		}
	}
}

func TestSenderThatStopsForAnHourIsPlayedAtOnce(t *testing.T) {
	w := newWorld(t, Config{})
	w.ppm = 30
	w.run(60)
	w.silent = true
	w.run(3660)
	w.silent = false
	w.run(3665)
	if w.seeks != 1 {
		t.Errorf("%d seeks although its clock went on", w.seeks)
	}
	w.atTarget(4)
}

func TestSenderThatWasPausedForAnHourIsFollowed(t *testing.T) {
	w := newWorld(t, Config{Free: true})
	w.run(10)
	w.silent = true
	paused := w.timestamp
	w.run(3610)
	w.silent, w.timestamp = false, paused // its clock stood still
	w.run(3612)
	if w.seeks != 2 || w.lastSeek > 3610.2 {
		t.Errorf("%d seeks, the last at %.2f s", w.seeks, w.lastSeek)
	}
	w.atTarget(2)
}

func TestSenderThatBeginsAnewALittleEarlierIsFollowed(t *testing.T) {
	for _, back := range []int64{10000, 100000, 1 << 19, 1 << 33} {
		w := newWorld(t, Config{Free: true})
		w.run(10)
		w.timestamp -= back
		w.run(12)
		if w.seeks != 2 || w.lastSeek > 10.2 {
			t.Errorf("%d frames back: %d seeks, the last at %.2f s", back, w.seeks, w.lastSeek)
		}
		w.atTarget(2)
	}
}

func TestSeekAcknowledgedLateIsNotRepeated(t *testing.T) {
	w := newWorld(t, Config{})
	w.ppm, w.ackAfter = 100, 600 // 0.8 s
	w.run(10)
	if w.seeks != 1 {
		t.Errorf("%d seeks", w.seeks)
	}
	w.atTarget(2)
}

// The core's ring can be full just when the cycle comes that shows the seek.
func TestSeekWhoseCycleWasNeverSeenIsDecidedAnew(t *testing.T) {
	w := newWorld(t, Config{})
	w.ppm = 200
	for w.seeks == 0 {
		w.run(w.seconds() + 0.001)
	}
	w.hideCycles = 1000
	w.run(20)
	if w.seeks != 2 {
		t.Errorf("%d seeks, want the first and another", w.seeks)
	}
	w.atTarget(2)
}

func TestPlayoutThatWasMutedIsPlacedAgain(t *testing.T) {
	w := newWorld(t, Config{Free: true})
	w.run(10)
	w.playing = false
	w.run(11)
	if w.seeks != 2 {
		t.Errorf("%d seeks", w.seeks)
	}
	w.atTarget(2)
}

func TestReceiversPeriodChangeIsOneSeek(t *testing.T) {
	w := newWorld(t, Config{Free: true})
	w.run(10)
	before := w.servo.Status().TargetFrames
	w.period = 256
	w.run(20)
	if got := w.servo.Status().TargetFrames; w.seeks != 2 || got != before+192 {
		t.Errorf("%d seeks, target %.0f after %.0f", w.seeks, got, before)
	}
	w.atTarget(2)
}

func TestEqualClocksAreLeftWhenTheyPartAndNotFoundTooSoonAgain(t *testing.T) {
	w := newWorld(t, Config{})
	entered, left := []float64{}, []float64{}
	equal := false
	for w.seconds() < 400 {
		switch at := w.seconds(); { // a clock that comes and goes
		case at > 30 && at < 60, at > 150 && at < 180:
			w.ppm = 25
		default:
			w.ppm = 0
		}
		w.run(w.seconds() + 0.1)
		if now := w.servo.Status().Equal; now != equal {
			equal = now
			if now {
				entered = append(entered, w.seconds())
			} else {
				left = append(left, w.seconds())
			}
		}
	}
	t.Logf("entered %.1f, left %.1f", entered, left)
	if len(entered) != 2 || len(left) != 1 {
		t.Fatalf("entered at %.1f, left at %.1f; want 2 times and 1", entered, left)
	}
	if entered[0] < equalAfter.Seconds() || left[0] < 30 || left[0] > 36 || entered[1] < 180+equalLater.Seconds() {
		t.Errorf("entered at %.1f, left at %.1f", entered, left)
	}
	if w.decision.Ratio != 1 || w.ratio != 1 || w.servo.Status().RatioPPM != 0 {
		t.Errorf("equal clocks are resampled by %v", w.ratio)
	}
	if want := equalAfter << len(left); w.servo.equalPatience != want {
		t.Errorf("patience %v, want %v", w.servo.equalPatience, want)
	}
	// The first sound, the resampler's look-ahead that goes, and one at most before
	// the parting is known for one. The look-ahead comes back by the ratio, and what
	// is found later does not move the latency.
	if w.seeks < 2 || w.seeks > 3 {
		t.Errorf("%d seeks", w.seeks)
	}
}

func TestClocksThatAreEqualFromTheStartNeedNoLookahead(t *testing.T) {
	w := newWorld(t, Config{})
	w.run(3)
	before := w.servo.Status().TargetFrames
	w.run(30)
	s := w.servo.Status()
	if !s.Equal || s.TargetFrames != before-lookahead || s.LeastFrames != testPeriod+1 {
		t.Errorf("%+v after a target of %.0f", s, before)
	}
	w.atTarget(1)
}

func TestFixedLatencyIsNotMovedByEqualClocks(t *testing.T) {
	w := newWorld(t, Config{LatencyFrames: 96})
	w.run(30)
	if !w.servo.Status().Equal || w.seeks != 1 {
		t.Errorf("equal %v, %d seeks", w.servo.Status().Equal, w.seeks)
	}
	w.atTarget(1)
}

func TestPatienceHasAnEnd(t *testing.T) {
	s := NewServo(Config{RateHz: testRate})
	for range 100 {
		s.equal, s.phase, s.cycle.nsPerFrame, s.cycle.usualNsPerFrame = true, 1000, s.cycle.nominalNs*(1+1e-5), s.cycle.nominalNs*(1+1e-5)
		s.decideEqual()
	}
	if s.equalPatience != mostPatience {
		t.Errorf("%v", s.equalPatience)
	}
}

func TestFewStrayPacketsDoNotMoveTheSender(t *testing.T) {
	w := newWorld(t, Config{Free: true})
	w.run(10)
	for range lostPoints - 1 {
		w.servo.Observe(stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: w.timestamp + 1<<21, TimeNs: int64(w.nowNs)})
	}
	w.run(20)
	if w.seeks != 1 {
		t.Errorf("%d seeks", w.seeks)
	}
	w.atTarget(2)
}

func TestStrayPacketsAmongGoodOnesDoNotMoveTheSender(t *testing.T) {
	w := newWorld(t, Config{})
	w.ppm = 200
	w.run(10)
	for range 1000 {
		w.servo.Observe(stream.Observation{Kind: stream.KindPacket, Frames: 64, Media: w.timestamp + 1<<21, TimeNs: int64(w.nowNs)})
		w.run(w.seconds() + 0.005)
	}
	if w.seeks != 1 {
		t.Errorf("%d seeks", w.seeks)
	}
	w.atTarget(2)
}

func TestStatusTellsWhatTheServoKnows(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	w := newWorld(t, Config{LatencyFrames: 32})
	w.ppm, w.lateNs = -50, func() float64 { return r.ExpFloat64() * 40e3 }
	w.run(60)
	s := w.servo.Status()
	if !s.Playing || s.Equal || s.LeastFrames != 77 || s.TargetFrames != 77 {
		t.Errorf("%+v", s)
	}
	if math.Abs(s.DelayFrames-77) > 2 || math.Abs(s.DriftPPM+50) > 2 || math.Abs(s.RatioPPM+50) > 20 {
		t.Errorf("delay %.2f, drift %.2f, ratio %.2f ppm", s.DelayFrames, s.DriftPPM, s.RatioPPM)
	}
	if q := s.LateUs; q.P50 < 10 || q.P50 > 60 || q.P99 < 100 || q.P99 > 250 || q.Max < q.P99 {
		t.Errorf("%+v", q)
	}
}

func TestCycleWithoutALegalFractionIsPassedOver(t *testing.T) {
	w := newWorld(t, Config{Free: true})
	w.run(10)
	for _, fraction := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.1, 1.1} {
		w.servo.Observe(stream.Observation{
			Kind: stream.KindCycle, Frames: 64, TimeNs: int64(w.nowNs), Media: w.media, Playing: true,
			Position: w.position, PositionFraction: fraction,
		})
	}
	w.run(20)
	if w.seeks != 1 {
		t.Errorf("%d seeks", w.seeks)
	}
	w.atTarget(2)
}

// Packets that must be decoded are read when a period of the receiver begins. Its beat
// with the sender's is no clock, but playout has to wait for it.
func TestWaitingToBeDecodedTakesLatencyAndBendsNoPitch(t *testing.T) {
	at := map[bool]Status{}
	for _, waits := range []bool{false, true} {
		w := newWorld(t, Config{Free: true})
		if waits {
			w.waitNs = func() float64 { return 5e6 - math.Mod(w.sendNs, 5e6) }
		}
		worst := 0.0
		for second := 1.0; second < 20; second += 0.1 {
			w.run(second)
			worst = max(worst, math.Abs(w.ratio-1)*1e6)
		}
		if worst > 5 {
			t.Errorf("waits %v: resampled by up to %.1f ppm", waits, worst)
		}
		w.atTarget(1.5)
		at[waits] = w.servo.Status()
	}
	if more := at[true].TargetFrames - at[false].TargetFrames; more < 180 || more > 5e6/nominalNs+96 {
		t.Errorf("waiting for up to 240 frames raised the target by %.0f", more)
	}
}

// A cut is heard in a steady tone, however well it is cross-faded.
func TestRaisedTargetIsReachedByTheRatioAlone(t *testing.T) {
	w := newWorld(t, Config{Free: true})
	n := 0
	w.lateNs = func() float64 {
		if n++; w.seconds() > 20 && n%7500 == 0 { // every 10 s
			return 600e3
		}
		return 0
	}
	w.run(30)
	before := w.servo.Status().TargetFrames
	most := 0.0
	for w.seconds() < 120 {
		w.run(w.seconds() + 0.02)
		most = max(most, math.Abs(w.decision.Ratio-1))
	}
	after := w.servo.Status().TargetFrames
	if after != before+16 || w.seeks != 1 || most > 150e-6 {
		t.Errorf("target %.0f after %.0f, %d seeks, ratio up to %.0f ppm", after, before, w.seeks, most*1e6)
	}
	w.atTarget(1)
}

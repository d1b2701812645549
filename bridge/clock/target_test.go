package clock

import (
	"math"
	"testing"
	"time"
)

const lookahead = 12

// learnedTarget has a period of 64 and learned from a delay variation of 10 frames.
func learnedTarget() *target {
	tg := newTarget(Config{RateHz: testRate, LookaheadFrames: lookahead, GapsPerHour: 30})
	tg.period(testPeriod, nominalNs)
	tg.observe(10, 0)
	tg.hold(0)
	return &tg
}

func TestTargetLearnsTheDelayVariationRoundedUpToAQuarterPeriod(t *testing.T) {
	for _, c := range []struct {
		late float64
		want int
	}{{-5, 16}, {0, 16}, {10, 16}, {10.7, 16}, {17, 32}, {43, 48}} {
		tg := newTarget(Config{LookaheadFrames: lookahead})
		tg.period(64, nominalNs)
		for i := range 100 {
			tg.observe(c.late, int64(i)*1e6)
		}
		tg.hold(0)
		if want := float64(64 + 13 + c.want); tg.jitterMargin != c.want || tg.frames() != want {
			t.Errorf("%.1f frames late: margin %d, target %v; want %d, %v", c.late, tg.jitterMargin, tg.frames(), c.want, want)
		}
	}
}

func TestShortestPeriodsStillHaveAJitterMargin(t *testing.T) {
	for period, want := range map[int]int{1: 1, 3: 1, 4: 1, 16: 4} {
		tg := newTarget(Config{})
		tg.period(period, nominalNs)
		tg.hold(0)
		if tg.jitterMargin != want {
			t.Errorf("period %d: margin %d, want %d", period, tg.jitterMargin, want)
		}
	}
}

func TestStallIsNotLearned(t *testing.T) {
	for period, stall := range map[int]float64{32: 192, 64: 256, 1024: 4096} {
		for late, want := range map[float64]int{stall: int(stall), stall + 1: period / 4} {
			tg := newTarget(Config{RateHz: 48000})
			tg.period(period, nominalNs)
			for i := range 100 {
				tg.observe(late, int64(i)*1e6)
			}
			tg.hold(0)
			if tg.jitterMargin != want {
				t.Errorf("period %d, %v frames late: margin %d, want %d", period, late, tg.jitterMargin, want)
			}
		}
	}
}

// weighed lets seconds pass, in which gaps come at some of them, and looks at the margin after each.
func weighed(tg *target, from, until int, needs map[int]float64) {
	for second := from; second < until; second++ {
		now := int64(second) * int64(time.Second)
		for range 10 {
			tg.observe(3, now)
			now += int64(eventSpan)
		}
		if frames, ok := needs[second]; ok {
			tg.late(frames, now-int64(eventSpan))
		}
		tg.weigh(now)
	}
}

func TestOneExtraordinarilyLatePacketDoesNotSetTheTarget(t *testing.T) {
	tg := learnedTarget()
	weighed(tg, 1, 30, map[int]float64{3: 30, 9: 250, 15: 20})
	if tg.jitterMargin != 32 {
		t.Errorf("margin %d, want 32", tg.jitterMargin)
	}
}

func TestThreeGapsRaiseTheTargetOnceAndSayWhy(t *testing.T) {
	tg := learnedTarget()
	weighed(tg, 1, 40, map[int]float64{10: 30, 20: 30, 29: 31})
	if tg.jitterMargin != 32 || len(tg.changes) != 1 {
		t.Fatalf("margin %d, changes %+v; want 32, one", tg.jitterMargin, tg.changes)
	}
	c := tg.changes[0]
	if c.From != 16 || c.To != 32 || c.Gaps != 3 || c.Saved != 3 || c.In < 29*time.Second || c.In > 32*time.Second || c.GivenBack() {
		t.Errorf("%+v", c)
	}
}

func TestGapsWithinTheBudgetRaiseNothing(t *testing.T) {
	tg := newTarget(Config{RateHz: testRate, JitterFrames: 16, GapsPerHour: 60})
	tg.period(testPeriod, nominalNs)
	tg.hold(0)
	each := map[int]float64{}
	for second := 40; second < 7200; second += 61 {
		each[second] = 40
	}
	weighed(&tg, 1, 7200, each)
	if tg.jitterMargin != 16 {
		t.Errorf("margin %d: %+v", tg.jitterMargin, tg.changes)
	}
}

func TestGapsBeyondTheBudgetRaiseBySoMuchAsKeepsIt(t *testing.T) {
	tg := newTarget(Config{RateHz: testRate, JitterFrames: 16, GapsPerHour: 60})
	tg.period(testPeriod, nominalNs)
	tg.hold(0)
	each := map[int]float64{}
	for second := 5; second < 7200; second += 5 {
		each[second] = 40
		if second%120 == 0 {
			each[second] = 150
		}
	}
	weighed(&tg, 1, 7200, each)
	if tg.jitterMargin != 48 {
		t.Errorf("margin %d: %+v", tg.jitterMargin, tg.changes)
	}
}

func TestWithoutABudgetEachGapRaises(t *testing.T) {
	tg := newTarget(Config{RateHz: testRate, JitterFrames: 16})
	tg.period(testPeriod, nominalNs)
	tg.hold(0)
	weighed(&tg, 1, 20, map[int]float64{10: 30})
	if tg.jitterMargin != 32 {
		t.Errorf("margin %d", tg.jitterMargin)
	}
	weighed(&tg, 20, 40, map[int]float64{30: tg.most() + 1})
	if tg.jitterMargin != 32 {
		t.Errorf("margin %d after a stall longer than the bound", tg.jitterMargin)
	}
}

// A stall of 10 ms makes packets late by less and less, of which the last ones are as late as a margin covers.
func TestTheLastPacketsOfALongStallAreNoEvidence(t *testing.T) {
	tg := learnedTarget()
	for second := 1; second < 50; second += 5 {
		now := int64(second) * int64(time.Second)
		for late := 480.0; late > 0; late -= testPeriod {
			tg.late(late, now)
			tg.observe(late, now)
			now += 3e3
		}
		tg.weigh(now + int64(eventSpan))
	}
	if tg.jitterMargin != 16 {
		t.Errorf("margin %d: %+v", tg.jitterMargin, tg.changes)
	}
}

func TestGapsAroundLostTimeAreNoEvidence(t *testing.T) {
	for _, afterNs := range []int64{-50e6, 0, 20e6, 50e6} { // the loss, after the late packet
		tg := learnedTarget()
		for second := 1; second < 50; second++ {
			now := int64(second) * int64(time.Second)
			if afterNs < 0 {
				tg.lostTime(now + afterNs)
			}
			tg.late(60, now)
			tg.weigh(now + 10e6)
			if afterNs >= 0 {
				tg.lostTime(now + afterNs)
			}
			tg.weigh(now + int64(time.Second)/2)
		}
		if tg.jitterMargin != 16 {
			t.Errorf("the loss %d ms after: margin %d: %+v", afterNs/1e6, tg.jitterMargin, tg.changes)
		}
	}
}

func TestLatePacketsOfOneGapCountOnce(t *testing.T) {
	tg := learnedTarget()
	for i := range 20 {
		tg.late(30, int64(i)*int64(eventSpan)/25)
	}
	tg.weigh(int64(time.Second))
	if tg.jitterMargin != 16 {
		t.Errorf("margin %d", tg.jitterMargin)
	}
}

func TestWhatTheFirstMinuteLearnedIsGivenBackAfterThreeCalmMinutes(t *testing.T) {
	tg := newTarget(Config{RateHz: testRate, GapsPerHour: 30})
	tg.period(testPeriod, nominalNs)
	tg.observe(43, 0)
	tg.hold(0)
	weighed(&tg, 1, 60, map[int]float64{10: 130, 20: 150, 30: 140})
	if tg.jitterMargin != 144 || tg.nextMargin() != 48 {
		t.Fatalf("margin %d, the next session's %d; want 144, and 48 until it was looked at", tg.jitterMargin, tg.nextMargin())
	}
	weighed(&tg, 60, 239, nil)
	if tg.jitterMargin != 144 {
		t.Fatalf("margin %d in three minutes", tg.jitterMargin)
	}
	weighed(&tg, 239, 242, nil)
	if tg.jitterMargin != 16 || tg.nextMargin() != 16 || !tg.changes[len(tg.changes)-1].GivenBack() {
		t.Errorf("margin %d, the next session's %d, changes %+v", tg.jitterMargin, tg.nextMargin(), tg.changes)
	}
}

func TestAGapPutsTheLookOff(t *testing.T) {
	tg := learnedTarget()
	tg.jitterMargin = 96
	weighed(tg, 1, 339, map[int]float64{160: 100})
	if tg.jitterMargin != 96 {
		t.Fatalf("margin %d within three minutes of a gap", tg.jitterMargin)
	}
	if weighed(tg, 339, 342, nil); tg.jitterMargin != 16 {
		t.Errorf("margin %d", tg.jitterMargin)
	}
}

// The peer is away, freewheels or stands: cycles go on, and nothing comes.
func TestSilenceIsNotCalmTime(t *testing.T) {
	tg := learnedTarget()
	tg.jitterMargin = 96
	weighed(tg, 1, 70, nil)
	for second := 70; second < 310; second++ {
		tg.weigh(int64(second) * int64(time.Second))
	}
	if tg.jitterMargin != 96 {
		t.Fatalf("margin %d after ten seconds of sound and four minutes of silence", tg.jitterMargin)
	}
	if weighed(tg, 310, 400, nil); tg.jitterMargin != 16 {
		t.Fatalf("margin %d after a minute and a half of sound more", tg.jitterMargin)
	}
	if c := tg.changes[0]; c.In < 85*time.Second || c.In > 100*time.Second {
		t.Errorf("seen in %s; want what was seen", c.In)
	}
}

func TestWhatWasSeenBeforeAGapDoesNotMakeTheSilenceBehindItCalm(t *testing.T) {
	tg := learnedTarget()
	tg.jitterMargin = 96
	weighed(tg, 1, 201, map[int]float64{200: 100})
	for second := 201; second < 441; second++ {
		tg.weigh(int64(second) * int64(time.Second))
	}
	if tg.jitterMargin != 96 {
		t.Errorf("margin %d: nothing was seen since the gap", tg.jitterMargin)
	}
}

func TestAServerThatLosesTimeDoesNotPutTheLookOff(t *testing.T) {
	tg := learnedTarget()
	tg.jitterMargin = 96
	for second := 1; second < 300; second++ {
		now := int64(second) * int64(time.Second)
		tg.late(120, now)
		tg.weigh(now + int64(eventSpan)/4)
		tg.lostTime(now + int64(eventSpan)/2)
		weighed(tg, second, second+1, nil)
	}
	if tg.jitterMargin != 16 || len(tg.changes) != 1 {
		t.Errorf("margin %d, changes %+v", tg.jitterMargin, tg.changes)
	}
}

func TestALaterRaiseStays(t *testing.T) {
	tg := learnedTarget()
	weighed(tg, 1, 300, nil)
	weighed(tg, 300, 7200, map[int]float64{310: 60, 320: 60, 330: 60, 340: 60, 350: 60, 360: 60, 370: 60, 380: 60})
	if tg.jitterMargin != 64 || tg.moved() {
		t.Errorf("margin %d", tg.jitterMargin)
	}
	if tg.nextMargin() != 16 {
		t.Errorf("the next session's margin %d: two hours proved 16 to be enough", tg.nextMargin())
	}
}

func TestAMarginIsLedToWithoutBeingHeard(t *testing.T) {
	for _, to := range []int{64, 16} {
		tg := learnedTarget()
		tg.jitterMargin, tg.inForce = to, 40
		frames, steps := 960.0, 0 // between two decisions
		delay := tg.inForce
		for share := tg.lead(frames); share != 0; share = tg.lead(frames) {
			if delay -= share * frames; math.Abs(share) > leadRate {
				t.Fatalf("ratio off by %v", share)
			}
			steps++
		}
		if way := math.Abs(float64(to) - 40); math.Abs(delay-float64(to)) > 0.1 || tg.inForce != float64(to) || math.Abs(float64(steps)-way/(leadRate*frames)) > 2 {
			t.Errorf("to %d: delay %v, in force %v after %d steps", to, delay, tg.inForce, steps)
		}
	}
}

func TestKnownJitterIsTakenAsItIs(t *testing.T) {
	tg := newTarget(Config{JitterFrames: 37, LookaheadFrames: lookahead})
	tg.period(64, nominalNs)
	if !tg.known() {
		t.Fatal("not known")
	}
	tg.observe(500, 0)
	tg.hold(0)
	if tg.frames() != 64+13+37 {
		t.Errorf("target %v", tg.frames())
	}
}

func TestFixedLatencyIsHeldAndNeverBelowTheLeast(t *testing.T) {
	for _, c := range []struct {
		latency, period int
		want            float64
	}{{128, 64, 128}, {77, 64, 77}, {76, 64, 77}, {32, 64, 77}, {128, 256, 269}} {
		tg := newTarget(Config{LatencyFrames: c.latency, LookaheadFrames: lookahead})
		if tg.least() != 0 {
			t.Errorf("least %d before the period is known", tg.least())
		}
		tg.period(c.period, nominalNs)
		tg.hold(0)
		for i := range 10 {
			tg.observe(500, int64(i)*int64(time.Second))
		}
		if tg.frames() != c.want || tg.least() != c.period+13 || tg.moved() {
			t.Errorf("latency %d, period %d: target %v, least %d; want %v, %d", c.latency, c.period, tg.frames(), tg.least(), c.want, c.period+13)
		}
	}
}

func TestPeriodChangeMovesTheTarget(t *testing.T) {
	tg := learnedTarget()
	tg.period(128, nominalNs)
	if tg.frames() != 128+13+16 || !tg.moved() {
		t.Errorf("target %v", tg.frames())
	}
	fixed := newTarget(Config{LatencyFrames: 256, LookaheadFrames: lookahead})
	fixed.period(64, nominalNs)
	fixed.hold(0)
	fixed.period(128, nominalNs)
	if fixed.moved() {
		t.Error("a fixed latency moved although it still fits")
	}
}

func TestRepeatsThatComeLaterAddTheirDistance(t *testing.T) {
	tg := newTarget(Config{JitterFrames: 16, LookaheadFrames: lookahead, ExtraFrames: 128})
	tg.period(64, nominalNs)
	if tg.frames() != 64+13+16+128 {
		t.Errorf("target %v", tg.frames())
	}
}

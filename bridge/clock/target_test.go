package clock

import (
	"testing"
	"time"
)

const lookahead = 12

// learnedTarget has a period of 64 and learned from a delay variation of 10 frames.
func learnedTarget() *target {
	tg := newTarget(Config{RateHz: testRate, LookaheadFrames: lookahead})
	tg.period(testPeriod)
	tg.observe(10, 0)
	tg.hold()
	return &tg
}

func TestTargetLearnsTheDelayVariationRoundedUpToAQuarterPeriod(t *testing.T) {
	for _, c := range []struct {
		late float64
		want int
	}{{-5, 16}, {0, 16}, {10, 16}, {10.7, 16}, {17, 32}, {43, 48}} {
		tg := newTarget(Config{LookaheadFrames: lookahead})
		tg.period(64)
		for i := range 100 {
			tg.observe(c.late, int64(i)*1e6)
		}
		tg.hold()
		if want := float64(64 + 13 + c.want); tg.jitterMargin != c.want || tg.frames() != want {
			t.Errorf("%.1f frames late: margin %d, target %v; want %d, %v", c.late, tg.jitterMargin, tg.frames(), c.want, want)
		}
	}
}

func TestShortestPeriodsStillHaveAJitterMargin(t *testing.T) {
	for period, want := range map[int]int{1: 1, 3: 1, 4: 1, 16: 4} {
		tg := newTarget(Config{})
		tg.period(period)
		tg.hold()
		if tg.jitterMargin != want {
			t.Errorf("period %d: margin %d, want %d", period, tg.jitterMargin, want)
		}
	}
}

func TestStallIsNotLearned(t *testing.T) {
	for period, stall := range map[int]float64{32: 192, 64: 256, 1024: 4096} {
		for late, want := range map[float64]int{stall: int(stall), stall + 1: period / 4} {
			tg := newTarget(Config{RateHz: 48000})
			tg.period(period)
			for i := range 100 {
				tg.observe(late, int64(i)*1e6)
			}
			tg.hold()
			if tg.jitterMargin != want {
				t.Errorf("period %d, %v frames late: margin %d, want %d", period, late, tg.jitterMargin, want)
			}
		}
	}
}

func TestOneExtraordinarilyLatePacketDoesNotSetTheTarget(t *testing.T) {
	tg := learnedTarget()
	for i, late := range []float64{30, 250, 60} {
		for range 1500 {
			tg.observe(10, int64(i)*int64(time.Second))
		}
		tg.observe(late, int64(i)*int64(time.Second))
	}
	if tg.jitterMargin != 32 {
		t.Errorf("margin %d, want 32", tg.jitterMargin)
	}
}

func TestThreeLatePacketsRaiseTheTargetOnce(t *testing.T) {
	tg := learnedTarget()
	for i := range 3 {
		if tg.moved() {
			t.Fatalf("moved after %d late packets", i)
		}
		tg.observe(30, int64(i)*int64(time.Second))
	}
	if tg.jitterMargin != 32 || !tg.moved() {
		t.Errorf("margin %d; want 32", tg.jitterMargin)
	}
	if tg.place(); tg.moved() {
		t.Error("moved although playout was placed")
	}
}

func TestLatePacketsOfOneEventCountOnce(t *testing.T) {
	tg := learnedTarget()
	for i := range 20 {
		tg.observe(30, int64(i)*int64(eventSpan)/25)
	}
	if tg.jitterMargin != 16 {
		t.Errorf("margin %d", tg.jitterMargin)
	}
}

func TestRareLatePacketsRaiseNothing(t *testing.T) {
	tg := learnedTarget()
	for i := range 100 {
		tg.observe(30, int64(i)*int64(raiseWithin)*6/10)
	}
	if tg.jitterMargin != 16 {
		t.Errorf("margin %d", tg.jitterMargin)
	}
}

func TestPacketsInTimeDoNotLowerTheTarget(t *testing.T) {
	tg := newTarget(Config{RateHz: testRate, LookaheadFrames: lookahead})
	tg.period(testPeriod)
	tg.observe(43, 0)
	tg.hold()
	held := tg.jitterMargin
	for i := range 2 * pdvProvenAfter { // as many as lower the next session's
		tg.observe(0, int64(i)*1e6)
	}
	if tg.jitterMargin != held || tg.moved() || tg.nextMargin() >= held {
		t.Errorf("margin %d, was %d, the next session's %d", tg.jitterMargin, held, tg.nextMargin())
	}
}

func TestKnownJitterIsTakenAsItIs(t *testing.T) {
	tg := newTarget(Config{JitterFrames: 37, LookaheadFrames: lookahead})
	tg.period(64)
	if !tg.known() {
		t.Fatal("not known")
	}
	tg.observe(500, 0)
	tg.hold()
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
		tg.period(c.period)
		tg.hold()
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
	tg.period(128)
	if tg.frames() != 128+13+16 || !tg.moved() {
		t.Errorf("target %v", tg.frames())
	}
	fixed := newTarget(Config{LatencyFrames: 256, LookaheadFrames: lookahead})
	fixed.period(64)
	fixed.hold()
	fixed.period(128)
	if fixed.moved() {
		t.Error("a fixed latency moved although it still fits")
	}
}

func TestRepeatsThatComeLaterAddTheirDistance(t *testing.T) {
	tg := newTarget(Config{JitterFrames: 16, LookaheadFrames: lookahead, ExtraFrames: 128})
	tg.period(64)
	if tg.frames() != 64+13+16+128 {
		t.Errorf("target %v", tg.frames())
	}
}

func TestWhatTheNextSessionLearnsIsLowerOnlyWhenProven(t *testing.T) {
	tg := newTarget(Config{JitterFrames: 96, LookaheadFrames: lookahead})
	tg.period(64)
	tg.hold()
	for i := range pdvProvenAfter {
		if tg.nextMargin() != 96 {
			t.Fatalf("%d after %d packets", tg.nextMargin(), i)
		}
		tg.observe(10, int64(i)*1e6)
	}
	if tg.nextMargin() != 16 || tg.jitterMargin != 96 {
		t.Errorf("next %d, held %d; want 16, 96", tg.nextMargin(), tg.jitterMargin)
	}
}

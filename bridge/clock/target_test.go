package clock

import (
	"testing"
	"time"
)

const lookahead = 12

// learnedTarget has a period of 64 and learned from lateness of 10 frames.
func learnedTarget() *target {
	tg := newTarget(Config{RateHz: testRate, LookaheadFrames: lookahead})
	tg.period(testPeriod)
	tg.observe(10, 0)
	tg.learned()
	return &tg
}

func TestTargetLearnsTheLatenessRoundedUpToAQuarterPeriod(t *testing.T) {
	for _, c := range []struct {
		late float64
		want int
	}{{-5, 16}, {0, 16}, {10, 16}, {10.7, 16}, {17, 32}, {43, 48}} {
		tg := newTarget(Config{LookaheadFrames: lookahead})
		tg.period(64)
		for i := range 100 {
			tg.observe(c.late, int64(i)*1e6)
		}
		tg.learned()
		if want := float64(64 + 13 + c.want); tg.jitterFrames != c.want || tg.frames() != want {
			t.Errorf("%.1f frames late: allowance %d, target %v; want %d, %v", c.late, tg.jitterFrames, tg.frames(), c.want, want)
		}
	}
}

func TestShortestPeriodsStillHaveAnAllowance(t *testing.T) {
	for period, want := range map[int]int{1: 1, 3: 1, 4: 1, 16: 4} {
		tg := newTarget(Config{})
		tg.period(period)
		tg.learned()
		if tg.jitterFrames != want {
			t.Errorf("period %d: allowance %d, want %d", period, tg.jitterFrames, want)
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
			tg.learned()
			if tg.jitterFrames != want {
				t.Errorf("period %d, %v frames late: allowance %d, want %d", period, late, tg.jitterFrames, want)
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
	if tg.jitterFrames != 32 {
		t.Errorf("allowance %d, want 32", tg.jitterFrames)
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
	if tg.jitterFrames != 32 || !tg.moved() {
		t.Errorf("allowance %d; want 32", tg.jitterFrames)
	}
	if tg.place(); tg.moved() {
		t.Error("moved although playout was placed")
	}
}

func TestLatePacketsOfOneEventCountOnce(t *testing.T) {
	tg := learnedTarget()
	for i := range 20 {
		tg.observe(30, int64(i)*int64(raiseTogether)/25)
	}
	if tg.jitterFrames != 16 {
		t.Errorf("allowance %d", tg.jitterFrames)
	}
}

func TestRareLatePacketsRaiseNothing(t *testing.T) {
	tg := learnedTarget()
	for i := range 100 {
		tg.observe(30, int64(i)*int64(raiseWithin)*6/10)
	}
	if tg.jitterFrames != 16 {
		t.Errorf("allowance %d", tg.jitterFrames)
	}
}

func TestPacketsInTimeDoNotLowerTheTarget(t *testing.T) {
	tg := learnedTarget()
	for i := range 100000 {
		tg.observe(0, int64(i)*1e6)
	}
	if tg.jitterFrames != 16 || tg.moved() {
		t.Errorf("allowance %d", tg.jitterFrames)
	}
}

func TestKnownJitterIsTakenAsItIs(t *testing.T) {
	tg := newTarget(Config{JitterFrames: 37, LookaheadFrames: lookahead})
	tg.period(64)
	if !tg.known() {
		t.Fatal("not known")
	}
	tg.observe(500, 0)
	tg.learned()
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
		tg.learned()
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
	fixed.learned()
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
	tg.learned()
	for i := range provenAfter {
		if tg.nextJitter() != 96 {
			t.Fatalf("%d after %d packets", tg.nextJitter(), i)
		}
		tg.observe(10, int64(i)*1e6)
	}
	if tg.nextJitter() != 16 || tg.jitterFrames != 96 {
		t.Errorf("next %d, held %d; want 16, 96", tg.nextJitter(), tg.jitterFrames)
	}
}

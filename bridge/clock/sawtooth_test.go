package clock

import (
	"math"
	"math/rand/v2"
	"testing"
)

const groupFrames = 1024

// groupsOf feeds a tracker the packet groups of a sender that looks at its clock each time
// that it has slept, as "ffmpeg -re" does: it sends what is due, up to a sleep late. Where two
// sleeps are almost a group, its delay falls or grows for seconds and jumps back: a sawtooth.
func groupsOf(k *tracker, seconds float64, sleepNs func() float64, each func(second float64)) {
	const startNs = 1e9
	nowNs := startNs
	for frame := int64(0); ; frame += groupFrames {
		dueNs := startNs + float64(frame)*k.nominalNs
		if dueNs-startNs > seconds*1e9 {
			return
		}
		for nowNs < dueNs {
			nowNs += sleepNs()
		}
		k.add(frame, int64(nowNs), false)
		each((nowNs - startNs) * 1e-9)
	}
}

func (e *envelope) offPPM() float64 { return math.Abs(e.nominalNs/e.nsPerFrame-1) * 1e6 }

func TestASenderThatSleepsAlmostInStepIsNoFastClock(t *testing.T) {
	bent, after := 0, 0
	for _, jitterNs := range []float64{0, 20e3, 50e3, 100e3, 300e3} {
		for seed := range uint64(60) {
			r := rand.New(rand.NewPCG(3, seed))
			sleepNs := 10.2e6 + 0.6e6*r.Float64()
			k := newTracker(testRate)
			groupsOf(&k, 60, func() float64 { return sleepNs + jitterNs*r.ExpFloat64() }, func(second float64) {
				if second < 20 {
					return
				}
				off := k.offPPM()
				if off > 1e6*likelyDrift {
					t.Fatalf("sleeps of %.3f ms and %.0f us of jitter: %.0f ppm off in second %.1f", sleepNs/1e6, jitterNs/1e3, off, second)
				}
				if after++; off > 200 {
					bent++
				}
			})
		}
	}
	if share := float64(bent) / float64(after); share > 0.05 {
		t.Errorf("more than 200 ppm off for %.1f %% of the time", 100*share)
	}
}

// Lost time is no delay, however often it comes: the clock is likely with it.
func TestStepsOfALikelyClockStand(t *testing.T) {
	const ppm, offsetNs = 400, 1e6
	k := newTracker(testRate)
	frame, timeNs := int64(0), 1e9
	trackPoints(&k, &frame, &timeNs, 20, ppm, punctual)
	for range 20 {
		timeNs += offsetNs
		trackPoints(&k, &frame, &timeNs, 2, ppm, punctual)
		if errNs := k.residualNs(frame, int64(timeNs)); math.Abs(errNs) > 20e3 {
			t.Fatalf("2 s after a step a punctual point is %.1f us off", errNs/1e3)
		}
	}
	if off := k.offPPM(); math.Abs(off-ppm) > 5 {
		t.Errorf("%.1f ppm, the clock has %d", off, ppm)
	}
}

func TestStepsThatMakeAClockUnlikelyAreRetracted(t *testing.T) {
	e := newEnvelope(testRate)
	e.start(0, 0)
	// A sawtooth of 9 ms in 4 s: 2250 ppm between the steps, none across them.
	frame, timeNs := int64(0), 0.0
	for range 6 {
		frame, timeNs = points(&e, frame, timeNs, e.nominalNs*(1-2250e-6), 4, punctual)
		e.hypothesise(9e6)
		timeNs += 9e6
	}
	frame, timeNs = points(&e, frame, timeNs, e.nominalNs*(1-2250e-6), 4, punctual)
	e.hypothesise(4e6)
	if before := e.offPPM(); before < 1e6*likelyDrift {
		t.Fatalf("%.0f ppm with the steps: nothing to retract", before)
	}
	if largestNs := e.retract(); largestNs != 9e6 {
		t.Errorf("the largest step that was taken back: %.1f ms", largestNs/1e6)
	}
	if after := e.offPPM(); after > 100 {
		t.Errorf("%.0f ppm without the steps", after)
	}
	// The envelope touches its points of 18 s, at a slope that is off by some 50 ppm.
	if errNs := e.residualNs(frame, int64(timeNs)); math.Abs(errNs) > 1e6 {
		t.Errorf("a point at the end of a tooth is %.2f ms off", errNs/1e6)
	}
	if largestNs := e.retract(); largestNs != 0 {
		t.Errorf("taken back twice: %.1f ms", largestNs/1e6)
	}
}

// Late by up to 9 ms, less and less for four seconds: 2250 ppm, were it a clock. Where
// the first tooth led playout is worked off at 500 ppm, so it takes its time.
func TestSawtoothDelaysDoNotBendThePitchForLong(t *testing.T) {
	p := newPlant(t, Config{LatencyFrames: 4800})
	p.lateNs = func() float64 { return 9e6 * (1 - math.Mod(p.seconds(), 4)/4) }
	worst := 0.0
	for second := 0.1; second < 60; second += 0.1 {
		p.run(second)
		if second > 40 {
			worst = max(worst, math.Abs(p.ratio-1)*1e6)
		}
	}
	if worst > 100 {
		t.Errorf("resampled by up to %.0f ppm", worst)
	}
	if p.seeks != 1 {
		t.Errorf("%d seeks", p.seeks)
	}
}

package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"archibald-bridge/benchmarks/results"
)

func locks(t *testing.T) results.Locks {
	t.Helper()
	l, err := simulate()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestBothClocksAreLockedTo(t *testing.T) {
	l := locks(t)
	if len(l.Runs) != len(skewsPPM) {
		t.Fatalf("%d runs, want %d", len(l.Runs), len(skewsPPM))
	}
	for _, run := range l.Runs {
		last := len(run.Seconds) - 1
		if last < 100 || run.Seconds[last] < seconds-2 {
			t.Fatalf("%+.0f ppm: %d looks", run.SkewPPM, last+1)
		}
		if ratio := run.RatioPPM[last]; math.Abs(ratio-run.SkewPPM) > 20 {
			t.Errorf("%+.0f ppm: ratio %+.2f ppm in the end", run.SkewPPM, ratio)
		}
		if delay := run.DelayErrorFrames[last]; math.Abs(delay) > 1 {
			t.Errorf("%+.0f ppm: delay is off by %.3f frames in the end", run.SkewPPM, delay)
		}
	}
}

// What is drawn in the documentation is what this servo does, not an older one.
func TestTheCommittedRunIsTheSimulators(t *testing.T) {
	text, err := os.ReadFile(filepath.Base(output))
	if err != nil {
		t.Fatal(err)
	}
	committed, err := results.ParseLocks(text)
	if err != nil {
		t.Fatal(err)
	}
	now := locks(t)
	if len(committed.Runs) != len(now.Runs) {
		t.Fatalf("%d runs, want %d", len(committed.Runs), len(now.Runs))
	}
	for i, run := range now.Runs {
		old := committed.Runs[i]
		if old.SkewPPM != run.SkewPPM || len(old.Seconds) != len(run.Seconds) {
			t.Errorf("%+.0f ppm with %d looks, want %+.0f with %d; mend it with: go run ./benchmarks/driftlock && go run ./benchmarks/report",
				old.SkewPPM, len(old.Seconds), run.SkewPPM, len(run.Seconds))
			continue
		}
		for j := range run.Seconds {
			// Processors round differently, a servo that was changed does more.
			if math.Abs(run.DelayErrorFrames[j]-old.DelayErrorFrames[j]) > 0.02 || math.Abs(run.RatioPPM[j]-old.RatioPPM[j]) > 0.5 {
				t.Errorf("%+.0f ppm at %.2f s: %.3f frames, %.2f ppm committed, now %.3f and %.2f; mend it with: go run ./benchmarks/driftlock && go run ./benchmarks/report",
					run.SkewPPM, run.Seconds[j], old.DelayErrorFrames[j], old.RatioPPM[j], run.DelayErrorFrames[j], run.RatioPPM[j])
				break
			}
		}
	}
}

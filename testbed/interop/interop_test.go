package interop

import (
	"slices"
	"testing"

	"archibald-bridge/testbed/gate"
)

// runIn runs the cases in a rig of their own.
func runIn(t *testing.T, cases []Case) []Result {
	t.Helper()
	r, err := New(48000, Options{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := r.Run(cases)
	if closeErr := r.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// Each channel has a sound of its own, so that one in the place of another is noticed.
// Where the machine disturbs the servers or their clients, those that failed are tried again.
// make soak has all pairs of docs/interop.md, but those with a PipeWire that is not installed.
func TestEightPairsWithProgramsOfOthers(t *testing.T) {
	cases := Gate()
	used := 0
	defer func() { gate.Attempts(t, used, attempts) }()
	for attempt := 1; len(cases) > 0; attempt++ {
		used = attempt
		results := runIn(t, cases)
		cases = nil
		for _, result := range results {
			fault := result.Fault()
			t.Logf("%s: %s, %.1f ms, resampled by %.1f ppm, %+v", result.Case, result.Verdict(), result.LatencyMs, result.PPM, result.Wire)
			if fault == "" {
				continue
			}
			cases = append(cases, result.Case)
			t.Logf("attempt %d, servers failed %d times, %d stalls: %s: %s", attempt, result.Losses, result.Stalls, result.Case, fault)
			if attempt == attempts || !result.Disturbed() {
				t.Errorf("%s: %s", result.Case, fault)
			}
		}
		if attempt == attempts {
			break
		}
	}
	if !gate.Soaking() {
		return
	}
	installed := slices.DeleteFunc(Matrix(), func(c Case) bool { return c.Peer == PipeWireNew })
	RunAll(Options{}, installed, func(result Result) {
		t.Logf("%s: %s", result.Case, result.Verdict())
		if fault := result.Fault(); fault != "" {
			t.Errorf("%s: %s", result.Case, fault)
		}
	})
}

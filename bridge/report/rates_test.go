package report

import (
	"math"
	"testing"
)

// A stream of 96 kHz in a graph of 48: delay and look-ahead count in frames of the one, the
// period in frames of the other.
func TestTheStagesOfAStreamOfAnotherRateAreInTime(t *testing.T) {
	s := New(Parts{}).Latency(Playout{RateHz: 96000, DelayFrames: 960, LookaheadFrames: 42, GraphRateHz: 48000, PeriodFrames: 64}).Stages
	for name, c := range map[string]struct{ got, wantMs float64 }{
		"resample": {s.Resample, 42 / 96.0}, "playout": {s.Playout, 64 / 48.0}, "wait": {s.Wait, 10 - 42/96.0 - 64/48.0}, "all": {s.Sum(), 10},
	} {
		if math.Abs(c.got/1e6-c.wantMs) > 1e-9 {
			t.Errorf("%s: %v ms, want %v", name, c.got/1e6, c.wantMs)
		}
	}
}

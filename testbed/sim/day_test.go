package sim

import (
	"math"
	"path/filepath"
	"testing"

	"archibald-bridge/testbed/gate"
)

// A day (in make test, a sixth of one) between two clocks that are 100 ppm apart, with the lateness of real
// cycles on both sides and a network with a heavy tail.
func TestADayOfDriftHasNoSlip(t *testing.T) {
	day := gate.Soak(4*3600.0, 24*3600)
	paths, err := filepath.Glob("testdata/jackd-*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no traces: %v", err)
	}
	for _, path := range paths {
		trace, err := ReadTrace(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d cycles late by p50 %.0f, p99 %.0f, p99.9 %.0f, max %.0f us", path, len(trace),
			trace.Quantile(.5)/1e3, trace.Quantile(.99)/1e3, trace.Quantile(.999)/1e3, trace.Quantile(1)/1e3)
		const period = 256
		r := NewRandom(11)
		l := &Link{
			Sender:    Graph{RateHz: 48000, PeriodFrames: period, PPM: Steady(100), WakeNs: trace.Replay(0)},
			Receiver:  Graph{RateHz: 48000, PeriodFrames: period, WakeNs: trace.Replay(len(trace) / 2)},
			NetworkNs: Sum(r.Wake(30e3, 20e3), r.Pareto(1e3, 1.2, 30e6)),
		}
		l.Servo.LatencyFrames = 1024
		o := run(t, l, day)
		t.Logf("media clock jumps %d, packets %d", o.counters.Skips, o.counters.Packets)
		if len(o.seeks) != 1 {
			t.Errorf("%d seeks: the position slipped", len(o.seeks))
		}
		off := math.Max(math.Abs(o.most-o.middle()), math.Abs(o.least-o.middle()))
		if off > period/4 || math.Abs(o.middle()-o.status.TargetFrames) > period/4 {
			t.Errorf("delay %.2f to %.2f frames, target %.0f: more than a quarter period off", o.least, o.most, o.status.TargetFrames)
		}
		if o.counters.Observations > 0 {
			t.Errorf("%d observations lost", o.counters.Observations)
		}
	}
}

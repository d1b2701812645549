package endtoend

import (
	"testing"
	"time"
)

func TestF32IsBitExactWhenTheServersShareAClock(t *testing.T) {
	r := start(t, Config{PeriodFrames: 256, Common: []string{"--format", "F32", "--latency", "100ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	if err := r.WaitExact(90 * time.Second); err != nil {
		t.Fatal(err)
	}
	all, serverFailures, err := r.Exact(60*time.Second, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		t.Logf("%s: %d of %d frames equal, longest stretch %d, %d stretches excused", e.Channel, e.Equal, e.Frames, e.Longest, len(e.Excused))
		// Resampled noise has no equal frame.
		if e.Frames < 50*48000 || e.Longest < 48000 || float64(e.Equal) < 0.99*float64(e.Frames) {
			t.Errorf("%s: %d of %d frames equal, longest stretch %d", e.Channel, e.Equal, e.Frames, e.Longest)
		}
		// As in the duplex test: none is allowed where the servers did not fail.
		if len(e.Different) > serverFailures {
			t.Errorf("%s: %d interruptions without a server's lost time near, while the servers failed %d times", e.Channel, len(e.Different), serverFailures)
		}
		for _, run := range e.Different {
			t.Logf("%s: interrupted at frame %d for %d frames, without a server's lost time near", e.Channel, run.Start, run.Length)
		}
	}
}

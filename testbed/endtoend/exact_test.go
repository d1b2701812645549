package endtoend

import (
	"fmt"
	"testing"
	"time"

	"archibald-bridge/proto"
	"archibald-bridge/testbed/gate"
)

// exactWithin is how long two servers on a busy machine may take until they are known
// to share a clock.
const exactWithin = 2 * time.Minute

// A machine on which servers fail all the time may keep the ends from seeing that
// the servers share a clock, or from keeping the copy.
func TestF32IsBitExactWhenTheServersShareAClock(t *testing.T) {
	unbroken(t, Config{PeriodFrames: 256, Common: []string{"--format", "F32", "--latency", "100ms"}}, exact)
}

func exact(t *testing.T, r *Rig) (faults []string, serverFailures int) {
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	before := r.xruns(t)
	if err := r.WaitExact(exactWithin); err != nil {
		return []string{err.Error()}, r.xruns(t) - before
	}
	length := gate.Soak(12*time.Second, 5*time.Minute)
	all, serverFailures, err := r.Exact(length, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		t.Logf("%s: %d of %d frames equal, longest stretch %d, %d stretches excused", e.Channel, e.Equal, e.Frames, e.Longest, len(e.Excused))
		// Resampled noise has no equal frame.
		if float64(e.Frames) < 48000*(length-10*time.Second).Seconds() || e.Longest < 48000 || float64(e.Equal) < 0.99*float64(e.Frames) {
			faults = append(faults, fmt.Sprintf("%s: %d of %d frames equal, longest stretch %d", e.Channel, e.Equal, e.Frames, e.Longest))
		}
		if len(e.Different) > 0 {
			faults = append(faults, fmt.Sprintf("%s: %d interruptions, and nothing failed then: %v", e.Channel, len(e.Different), e.Different))
		}
	}
	return faults, serverFailures
}

// xruns counts the servers' failures that the ends were told of.
func (r *Rig) xruns(t *testing.T) (sum int) {
	t.Helper()
	for _, role := range []proto.Role{proto.Guest, proto.Host} {
		s, err := r.Status(role)
		if err != nil {
			t.Fatal(err)
		}
		sum += int(s.Audio.XrunsTotal + s.Directions.Send.Total.Xruns + s.Directions.Receive.Total.Xruns)
	}
	return sum
}

package endtoend

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/gate"
)

// The host's packets drive a stock jackd in the guest, through netone; SuperCollider's sound and the
// host's cross bit for bit, and nobody resamples.
func TestAStockJackdFollowsTheHostBitForBit(t *testing.T) {
	unbroken(t, Config{PeriodFrames: 256, Netone: true, Common: []string{"--format", "F32"}, Host: []string{"--clock", "lead"}},
		func(t *testing.T, r *Rig) (faults []string, serverFailures int) {
			if err := r.StartAll(); err != nil {
				t.Fatal(err)
			}
			guest, err := r.Status(proto.Guest)
			if err != nil {
				t.Fatal(err)
			}
			if guest.Session.Locked != status.Follows {
				t.Errorf("the guest is %q in its session", guest.Session.Locked)
			}
			if problems := codes(guest); slices.Contains(problems, "audio-mute") {
				t.Errorf("the guest's problems are %q", problems)
			}
			length := gate.Soak(15*time.Second, 5*time.Minute)
			all, serverFailures, err := r.Exact(length, 100*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				t.Logf("%s: %d of %d frames equal, longest stretch %d, %d stretches excused", e.Channel, e.Equal, e.Frames, e.Longest, len(e.Excused))
				if e.Longest < 48000 {
					faults = append(faults, fmt.Sprintf("%s: the longest stretch that is as it was played has %d of %d frames", e.Channel, e.Longest, e.Frames))
				}
				if len(e.Different) > 0 {
					faults = append(faults, fmt.Sprintf("%s: %d interruptions, and nothing failed then: %v", e.Channel, len(e.Different), e.Different))
				}
			}
			return faults, serverFailures
		})
}

func codes(s status.Status) (all []string) {
	for _, p := range s.Problems {
		all = append(all, p.Code)
	}
	return all
}

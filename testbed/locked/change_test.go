package locked

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
)

// waitFor waits until the status of an end is as wanted.
func waitFor(t *testing.T, r *endtoend.Rig, role proto.Role, what string, is func(status.Status) bool) {
	t.Helper()
	for deadline := time.Now().Add(backWithin); ; time.Sleep(50 * time.Millisecond) {
		s, err := r.Status(role)
		if err == nil && is(s) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the %s: not %s: %+v, %+v (%v)", role, what, s.Session, s.Audio, err)
		}
	}
}

// jack_bufsize changes the leader's period while sound runs; PipeWire follows at the new one.
func TestALeaderChangesItsPeriodWhileItRuns(t *testing.T) {
	p := pairs[0]
	r := start(t, p)
	if err := r.SetPeriod(2 * period); err != nil {
		t.Fatal(err)
	}
	waitFor(t, r, p.leader.Other(), "at the new period", func(s status.Status) bool { return s.Audio.PeriodFrames == 2*period })
	locked(t, r, p.leader)
	roundTrip(t, r, p.leader, 2*period, 2*period)
}

// A PipeWire that leads is given another period and another rate. A follower on PipeWire has the
// same; one on netone, which keeps its own for life, says what both have until they are equal again.
func TestALeadersPeriodAndRateAreTakenOrRefused(t *testing.T) {
	for _, p := range []pair{pairs[1], alike[0]} {
		t.Run(p.name, func(t *testing.T) {
			p.config.Shared = true // no sound is judged
			r := start(t, p)
			follower := p.leader.Other()
			for _, c := range []struct {
				setting           string
				value, usual      int
				rate, periodFrame int // then
			}{
				{"clock.force-quantum", 2 * period, 0, 48000, 2 * period},
				{"clock.force-rate", 96000, 48000, 96000, 2 * period}, // PipeWire's period grows with the rate
			} {
				set := func(value int) {
					t.Helper()
					if err := r.SetPipeWire(p.leader, c.setting, value); err != nil {
						t.Fatal(err)
					}
				}
				set(c.value)
				waitFor(t, r, p.leader, "changed", func(s status.Status) bool { return s.Audio.Rate == c.rate && s.Audio.PeriodFrames == c.periodFrame })
				if p.config.Netone == follower {
					want := fmt.Sprintf("leads at %d Hz with a period of %d frames, and the %s, which follows, can only have 48000 Hz and %d frames", c.rate, c.periodFrame, follower, period)
					for _, role := range []proto.Role{proto.Guest, proto.Host} {
						waitFor(t, r, role, want, func(s status.Status) bool { return strings.Contains(s.Session.LastError, want) })
					}
				} else {
					waitFor(t, r, follower, "as the leader", func(s status.Status) bool {
						return s.Session.Locked == status.Follows && s.Audio.Rate == c.rate && s.Audio.PeriodFrames == c.periodFrame
					})
				}
				set(c.usual)
				waitFor(t, r, p.leader, "as before", func(s status.Status) bool { return s.Audio.Rate == 48000 && s.Audio.PeriodFrames == period })
				locked(t, r, p.leader)
			}
		})
	}
}

package receive

import (
	"testing"

	"archibald-bridge/bridge/clock"
)

func TestALatencyIsBlamedOnTheSenderWhenHalfOfItIsItsDelay(t *testing.T) {
	const (
		ms     = 1e6
		rateHz = 48000
		least  = 77 // frames
	)
	for name, c := range map[string]struct {
		lateNs   int64   // that packets leave
		all99Us  float64 // that they come
		marginMs float64
		windows  int
		blamed   bool
	}{
		"the sender is late":                   {12 * ms, 13000, 20, 3, true},
		"all of it is the sender":              {12 * ms, 12000, 6, 3, true},
		"half of it is the sender":             {12 * ms, 23000, 23, 3, true},
		"the sender was late, calmer now":      {12 * ms, 100, 20, 3, true},
		"an earlier session was later":         {12 * ms, 13000, 40, 3, false},
		"the network is late":                  {1 * ms, 20000, 20, 3, false},
		"the network is later":                 {4 * ms, 20000, 20, 3, false},
		"it costs little":                      {12 * ms, 13000, 4, 3, false},
		"two packets in a minute, and no more": {12 * ms, 13000, 20, 2, false},
	} {
		status := clock.Status{Playing: true, LeastFrames: least, TargetFrames: least + c.marginMs*rateHz/1000}
		status.PDVUs.P99 = c.all99Us
		var delays sendDelays
		for range c.windows {
			delays.add(c.lateNs)
			delays.add(c.lateNs / 2)
			delays.close()
		}
		asked := delays
		asked.blame(status, rateHz, Latency{Frames: 2000})
		if asked.blamedNs != 0 {
			t.Errorf("%s: a latency that was asked for is blamed on the sender", name)
		}
		want := int64(0)
		if c.blamed {
			want = c.lateNs
		}
		delays.blame(status, rateHz, Latency{})
		if delays.blamedNs != want {
			t.Errorf("%s: blamed for %d ns, want %d", name, delays.blamedNs, want)
		}
		for range 2 * delayWindows { // the sender has recovered, the latency stays
			delays.close()
			delays.blame(status, rateHz, Latency{})
		}
		if delays.blamedNs != want || len(delays.latestNs) != delayWindows {
			t.Errorf("%s, later: blamed for %d ns, want %d; %d windows", name, delays.blamedNs, want, len(delays.latestNs))
		}
		status.TargetFrames = least + 16
		if delays.blame(status, rateHz, Latency{}); delays.blamedNs != 0 {
			t.Errorf("%s: blamed although the latency was given back", name)
		}
	}
}

package receive

import (
	"testing"
	"time"

	"archibald-bridge/bridge/clock"
)

func TestAChangeOfTheLatencySaysWhatItCostsAndBuys(t *testing.T) {
	for want, c := range map[string]clock.MarginChange{
		"16 frames (0.33 ms) more: late packets made 3 gaps in 40s, 270 an hour, and the budget is 30; the larger latency would have avoided 2 of them, 180 an hour": {
			From: 16, To: 32, Gaps: 3, Saved: 2, In: 40 * time.Second,
		},
		"96 frames (2.00 ms) less: since the first minute, in 3m0s, that would have kept the budget of 30 gaps an hour": {
			From: 112, To: 16, In: 3 * time.Minute,
		},
	} {
		if got := reason(c, 48000, 30); got != want {
			t.Errorf("%+v:\n%s\nwant\n%s", c, got, want)
		}
	}
}

package receive

import (
	"fmt"
	"time"

	"archibald-bridge/bridge/clock"
)

// reason says in words why the latency was changed, and what that costs and buys.
func reason(c clock.MarginChange, rateHz, gapsPerHour int) string {
	milliseconds := func(frames int) float64 { return float64(frames) * 1e3 / float64(rateHz) }
	if c.GivenBack() {
		by := c.From - c.To
		return fmt.Sprintf("%d frames (%.2f ms) less: since the first minute, in %s, that would have kept the budget of %d gaps an hour",
			by, milliseconds(by), c.In.Round(time.Second), gapsPerHour)
	}
	by, perHour := c.To-c.From, func(gaps int) float64 { return float64(gaps) / c.In.Hours() }
	return fmt.Sprintf("%d frames (%.2f ms) more: late packets made %d gaps in %s, %.0f an hour, and the budget is %d; the larger latency would have avoided %d of them, %.0f an hour",
		by, milliseconds(by), c.Gaps, c.In.Round(time.Second), perHour(c.Gaps), gapsPerHour, c.Saved, perHour(c.Saved))
}

// tellChanges has the log say how the latency was changed, and keeps the newest reason.
func (d *Direction) tellChanges() {
	for _, change := range d.servo.MarginChanges() {
		d.changed = reason(change, d.stream.Format.RateHz, d.settings.GapsPerHour)
		d.parts.Log.Info("latency changed: " + d.changed)
	}
}

// LatencyReason is why the latency was changed last in this stream; "" if it was not.
func (d *Direction) LatencyReason() string { return d.changed }

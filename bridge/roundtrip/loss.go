package roundtrip

import (
	"fmt"
	"math"
	"time"
)

// loss is what an audio server itself lost. The sound that this breaks is the
// server's fault.
type loss struct {
	ServerXruns  uint64  `json:"server_xruns"`   // reported by the audio server meanwhile
	ServerLostMs float64 `json:"server_lost_ms"` // time in which it ran no cycle, within some milliseconds
}

const (
	// wakeUps is how much of it may be late wake-ups at both ends.
	wakeUps = 5 * time.Millisecond
	// drift is how far the clocks of sound and of the machine may be apart.
	drift = 500e-6
	// windowsPerLoss is how many windows a loss can break: it stands in two at most,
	// on each way.
	windowsPerLoss = 4
)

func lossOf(client Client) loss {
	return loss{ServerXruns: client.Xruns(), ServerLostMs: float64(client.Behind()) / float64(time.Millisecond)}
}

func (l loss) since(before loss) loss {
	return loss{ServerXruns: l.ServerXruns - before.ServerXruns, ServerLostMs: max(0, l.ServerLostMs-before.ServerLostMs)}
}

// lostTime says whether ServerLostMs, of so much time, is more than clocks and
// wake-ups make.
func (l loss) lostTime(of time.Duration, period time.Duration) bool {
	least := max(wakeUps, 2*period) + time.Duration(float64(of)*drift)
	return l.ServerLostMs > float64(least)/float64(time.Millisecond)
}

// happened says whether the server lost anything.
func (l loss) happened(of time.Duration, r *Report) bool {
	period := time.Duration(r.PeriodFrames) * time.Second / time.Duration(max(1, r.RateHz))
	return l.ServerXruns > 0 || l.lostTime(of, period)
}

// breaks is how many windows it can have broken.
func (l loss) breaks(r *Report) int {
	window := 1e3 * windowFrames / float64(r.RateHz)
	return windowsPerLoss*int(l.ServerXruns) + int(math.Ceil(l.ServerLostMs/window))
}

func (l loss) text() string {
	return fmt.Sprintf("the JACK server lost %.0f ms of its own in %d xruns, which breaks sound before any bridge does: give it real-time priority or a larger period",
		l.ServerLostMs, l.ServerXruns)
}

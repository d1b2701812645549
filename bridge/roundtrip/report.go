package roundtrip

import (
	"math"
	"slices"

	"archibald-bridge/bridge/status"
)

// Report is the result of a measurement.
type Report struct {
	Server       string  `json:"server"` // of JACK
	RateHz       int     `json:"rate"`
	PeriodFrames int     `json:"period_frames"`
	Seconds      float64 `json:"seconds"` // measured

	Path   []string `json:"path"`   // the connections made for the measurement, "SOURCE -> SINK"
	Parted []string `json:"parted"` // those taken away meanwhile

	RoundTripFrames *Spread `json:"round_trip_frames"` // null: nothing was heard
	RoundTripMs     *Spread `json:"round_trip_ms"`
	Inverted        bool    `json:"inverted"` // the path changes the sign of every sample
	WindowFrames    int     `json:"window_frames"`
	Intact          int     `json:"intact"` // windows
	Damaged         int     `json:"damaged"`
	Missing         int     `json:"missing"`
	Dropouts        int     `json:"dropouts"` // runs of windows that are damaged or missing

	loss

	NoStatusAt string `json:"no_status_at"` // where no end answered before the sound was made; "": one did

	Bridge   *Bridge   `json:"bridge"` // null: no end answers, or it was restarted meanwhile
	Timer    Lateness  `json:"timer"`
	Readings []Reading `json:"readings"`
}

// Spread is how a figure was distributed.
type Spread struct {
	Min float64 `json:"min"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Bridge is what this end of the bridge counted meanwhile.
type Bridge struct {
	CPUPercent      float64 `json:"cpu_percent"` // of one processor
	PacketsSent     uint64  `json:"packets_sent"`
	PacketsReceived uint64  `json:"packets_received"`
	PacketsLost     uint64  `json:"packets_lost"`
	PacketsLate     uint64  `json:"packets_late"`
	Dropouts        uint64  `json:"dropouts"` // of the incoming direction
	Xruns           uint64  `json:"xruns"`    // of its audio server
}

// judge fills in what the readings say.
func (r *Report) judge(readings []Reading) {
	r.Readings, r.WindowFrames = readings, windowFrames
	var frames []float64
	inverted := 0
	broken := false
	for _, reading := range readings {
		switch reading.State {
		case Intact:
			r.Intact++
		case Damaged:
			r.Damaged++
		case Missing:
			r.Missing++
		}
		if reading.State != Intact && !broken {
			r.Dropouts++
		}
		broken = reading.State != Intact
		if reading.State == Missing {
			continue
		}
		frames = append(frames, reading.Frames)
		if reading.Match < 0 {
			inverted++
		}
	}
	if len(frames) == 0 {
		return
	}
	r.Inverted = 2*inverted > len(frames)
	slices.Sort(frames)
	r.RoundTripFrames = &Spread{frames[0], quantile(frames, 0.5), quantile(frames, 0.99), frames[len(frames)-1]}
	ms := *r.RoundTripFrames
	for _, value := range []*float64{&ms.Min, &ms.P50, &ms.P99, &ms.Max} {
		*value *= 1e3 / float64(r.RateHz)
	}
	r.RoundTripMs = &ms
}

// quantile is the smallest value that at least the share q of the sorted values
// does not exceed.
func quantile(sorted []float64, q float64) float64 {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// between is what an end counted from one status to a later one, nil if it is
// not the same run of the program.
func between(before, after *status.Status) *Bridge {
	if before == nil || after == nil || after.UptimeSeconds < before.UptimeSeconds {
		return nil
	}
	sent, received := before.Directions.Send.Total, before.Directions.Receive.Total
	sentNow, receivedNow := after.Directions.Send.Total, after.Directions.Receive.Total
	return &Bridge{
		CPUPercent:      100 * (after.CPUSeconds - before.CPUSeconds) / max(after.UptimeSeconds-before.UptimeSeconds, 0.1),
		PacketsSent:     sentNow.Packets - sent.Packets,
		PacketsReceived: receivedNow.Packets - received.Packets,
		PacketsLost:     receivedNow.Lost - received.Lost,
		PacketsLate:     receivedNow.Late - received.Late,
		Dropouts:        receivedNow.Dropouts - received.Dropouts,
		Xruns:           after.Audio.XrunsTotal - before.Audio.XrunsTotal,
	}
}

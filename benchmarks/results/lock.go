package results

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Locks is what benchmarks/driftlock has simulated.
type Locks struct {
	RateHz       int    `json:"rate_hz"`
	PeriodFrames int    `json:"period_frames"`
	Seed         uint64 `json:"seed"`
	Runs         []Lock `json:"runs"`
}

// Lock is how a receiver came to follow one sender; its three lists belong
// together.
type Lock struct {
	SkewPPM float64 `json:"skew_ppm"` // of the sender's clock against the receiver's
	// DelayFrames is where the delay stays at the end, and what
	// DelayErrorFrames is counted from.
	DelayFrames      float64   `json:"delay_frames"`
	Seconds          []float64 `json:"seconds"` // since both ends began
	DelayErrorFrames []float64 `json:"delay_error_frames"`
	RatioPPM         []float64 `json:"ratio_ppm"`
}

// ParseLocks reads benchmarks/driftlock/driftlock.json.
func ParseLocks(data []byte) (Locks, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var l Locks
	if err := decoder.Decode(&l); err != nil {
		return Locks{}, err
	}
	for _, run := range l.Runs {
		if len(run.Seconds) != len(run.DelayErrorFrames) || len(run.Seconds) != len(run.RatioPPM) {
			return Locks{}, fmt.Errorf("%+.0f ppm: %d seconds, %d delay_error_frames, %d ratio_ppm: they must be as many",
				run.SkewPPM, len(run.Seconds), len(run.DelayErrorFrames), len(run.RatioPPM))
		}
	}
	return l, nil
}

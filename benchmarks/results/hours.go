package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Hours is what `go run ./benchmarks/peers hours` measured: the round trip of bridges that
// run at once between the same two servers, over hours.
type Hours struct {
	Schema       int     `json:"schema"` // 1
	Date         string  `json:"date"`   // YYYY-MM-DD
	Commit       string  `json:"commit"`
	Machine      Machine `json:"machine"`
	RateHz       int     `json:"rate_hz"`
	PeriodFrames int     `json:"period_frames"`
	SkewPPM      float64 `json:"skew_ppm"` // of the host's clock against the guest's
	Seconds      float64 `json:"seconds"`
	Seed         uint64  `json:"seed"` // of the stalls
	// Stalls are the moments at which every processor was kept busy, in order.
	Stalls []Stall    `json:"stalls"`
	Runs   []HoursRun `json:"runs"`
}

// Stall is a time in which the machine stood still on purpose.
type Stall struct {
	AtSeconds float64 `json:"at_seconds"` // since the beginning
	Ms        float64 `json:"ms"`
}

// HoursRun is one bridge. Its two lists belong together.
type HoursRun struct {
	System   string   `json:"system"`
	Setting  string   `json:"setting"`
	Commands []string `json:"commands"`
	// Seconds since the beginning, and the median of jack_iodelay's readings in that
	// second. A second in which it heard nothing, or doubted, is left out.
	Seconds         []float64 `json:"seconds"`
	RoundTripFrames []float64 `json:"round_trip_frames"`
	// Error is why it ended early; "" when it did not.
	Error string `json:"error"`
}

// ParseHours reads one such file, strictly.
func ParseHours(data []byte) (Hours, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var h Hours
	if err := decoder.Decode(&h); err != nil {
		return Hours{}, err
	}
	switch {
	case h.Schema != 1:
		return Hours{}, fmt.Errorf("schema %d: legal is 1", h.Schema)
	case h.Commit == "":
		return Hours{}, errors.New("commit is empty: nobody could measure the same again")
	case h.RateHz < 8000 || h.PeriodFrames < 1 || h.Seconds <= 0:
		return Hours{}, fmt.Errorf("rate_hz %d, period_frames %d, seconds %v: legal are 8000 and 1 at least, and more than 0", h.RateHz, h.PeriodFrames, h.Seconds)
	}
	for i, s := range h.Stalls {
		if s.Ms <= 0 || s.AtSeconds < 0 || s.AtSeconds > h.Seconds || i > 0 && s.AtSeconds < h.Stalls[i-1].AtSeconds {
			return Hours{}, fmt.Errorf("stall %d, %v ms at %v s: they must be in order and within the run", i, s.Ms, s.AtSeconds)
		}
	}
	for _, r := range h.Runs {
		if len(r.Seconds) != len(r.RoundTripFrames) {
			return Hours{}, fmt.Errorf("%s: %d seconds, %d round_trip_frames: they must be as many", r.System, len(r.Seconds), len(r.RoundTripFrames))
		}
		for i, second := range r.Seconds {
			if r.RoundTripFrames[i] <= 0 || i > 0 && second <= r.Seconds[i-1] {
				return Hours{}, fmt.Errorf("%s: %v frames at %v s: legal are positive ones, and seconds that grow", r.System, r.RoundTripFrames[i], second)
			}
		}
	}
	return h, nil
}

// Ms are frames in milliseconds.
func (h Hours) Ms(frames float64) float64 { return 1000 * frames / float64(h.RateHz) }

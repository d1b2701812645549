package status

import (
	"bytes"
	"encoding/json"
	"math"
)

// Encode returns the status as one line of JSON. Values that JSON does not have
// never make it fail: a NaN or an infinity becomes 0, or null where the field's
// type says so.
func Encode(s Status) ([]byte, error) {
	tidy(&s)
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(s)
	return line.Bytes(), err
}

// tidy makes s what JSON has, and empty lists lists.
func tidy(s *Status) {
	s.SchemaVersion = SchemaVersion
	s.UptimeSeconds = finite(s.UptimeSeconds)
	s.Problems = append([]Problem{}, s.Problems...)
	s.Guests = append([]Status{}, s.Guests...)
	for i := range s.Guests {
		tidy(&s.Guests[i])
	}
	for _, d := range []*Direction{&s.Directions.Send, &s.Directions.Receive} {
		for _, value := range []*float64{
			&d.BufferFrames, &d.BufferTargetFrames, &d.RatioPPM,
			&d.JitterUs.P50, &d.JitterUs.P99, &d.JitterUs.Max,
		} {
			*value = finite(*value)
		}
		if d.PeakDBFS == nil {
			d.PeakDBFS = []Decibels{}
		}
	}
}

func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

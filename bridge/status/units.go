package status

import (
	"encoding/json"
	"fmt"
	"math"
)

// Decibels is a level in dBFS. Silence is minus infinity, which JSON cannot
// say: there it is null. So is NaN.
type Decibels float64

// DecibelsOf returns the level of a linear amplitude, 1.0 being 0 dBFS.
func DecibelsOf(linear float64) Decibels { return Decibels(20 * math.Log10(linear)) }

// MarshalJSON writes a number with two decimals, or null.
func (d Decibels) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(d)) || math.IsInf(float64(d), 0) {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, "%.2f", float64(d)), nil
}

// UnmarshalJSON reads null as minus infinity.
func (d *Decibels) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*d = Decibels(math.Inf(-1))
		return nil
	}
	return json.Unmarshal(data, (*float64)(d))
}

// String returns "-12.3", or "-inf".
func (d Decibels) String() string {
	if math.IsInf(float64(d), -1) || math.IsNaN(float64(d)) {
		return "-inf"
	}
	return fmt.Sprintf("%.1f", float64(d))
}

// Milliseconds is a latency. 0, which no latency is, means not known yet; in
// JSON that is null.
type Milliseconds float64

// MarshalJSON writes a number with three decimals, or null.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	if m == 0 || math.IsNaN(float64(m)) || math.IsInf(float64(m), 0) {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, "%.3f", float64(m)), nil
}

// String returns "1.333 ms", or "-" when it is not known.
func (m Milliseconds) String() string {
	if m == 0 || math.IsNaN(float64(m)) {
		return "-"
	}
	return fmt.Sprintf("%.3f ms", float64(m))
}

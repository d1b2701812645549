// Package results holds what `make bench-peers` has measured: the files in
// benchmarks/results, one per invocation, read strictly, checked, and summed up
// over their repeats.
package results

import "encoding/json"

// File is what one invocation measured. Its name is YYYY-MM-DD-NAME.json.
type File struct {
	Schema  int     `json:"schema"` // 1
	Date    string  `json:"date"`   // YYYY-MM-DD
	Commit  string  `json:"commit"`
	Machine Machine `json:"machine"`
	Runs    []Run   `json:"runs"`
}

// Machine is where it was measured.
type Machine struct {
	Processor    string              `json:"processor"`
	Processors   int                 `json:"processors"`
	Kernel       string              `json:"kernel"`
	Distribution string              `json:"distribution"`
	Go           string              `json:"go"`
	Load         string              `json:"load"`
	Packages     map[string]string   `json:"packages"` // Debian versions
	TimerUs      map[string]Lateness `json:"timer_us"` // "plain", "quiet"
}

// Lateness is how late a bare timer was, in microseconds (cyclictest).
type Lateness struct {
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
	P999     float64 `json:"p999"`
	Max      float64 `json:"max"`
	Share667 float64 `json:"share667"` // later than 667 us, 0 to 1
}

// Run is one system at one setting, once.
type Run struct {
	System  string `json:"system"`  // "archibald-bridge", "zita-njbridge", "jacktrip", "netjack2", "netone", "pipewire-rtp", "control"
	Servers string `json:"servers"` // "jackd+jackd", "jackd+pipewire", "pipewire+pipewire"
	Setting string `json:"setting"` // "92frames", "auto", "--buff 2", "-q 3"
	// Slaved says that the guest's clock follows the host's: no drift, no
	// resampler.
	Slaved          bool     `json:"slaved"`
	PeriodFrames    int      `json:"period_frames"`
	RateHz          int      `json:"rate_hz"`
	Channels        int      `json:"channels"`
	Repeat          int      `json:"repeat"`
	SkewPPM         float64  `json:"skew_ppm"`
	SkewMeasuredPPM float64  `json:"skew_measured_ppm"`
	Started         string   `json:"started"` // RFC 3339
	Seconds         float64  `json:"seconds"`
	Commands        []string `json:"commands"`
	// RoundTripFrames are jack_iodelay's readings in order, two a second;
	// empty: it heard nothing.
	RoundTripFrames []float64 `json:"round_trip_frames"`
	// SoundShare is the share of the run in which the looped tone was there.
	SoundShare float64 `json:"sound_share"`
	Gaps       int     `json:"gaps"` // in the looped tone
	// CausedGaps are those that no witness tone and no failure of a server
	// explains.
	CausedGaps       int     `json:"caused_gaps"`
	WitnessGapsGuest int     `json:"witness_gaps_guest"`
	WitnessGapsHost  int     `json:"witness_gaps_host"`
	XrunsGuest       int     `json:"xruns_guest"`
	XrunsHost        int     `json:"xruns_host"`
	ConcealEvents    int     `json:"conceal_events"` // ours only: dropouts that both ends counted
	CPUPercent       float64 `json:"cpu_percent"`    // of the bridge's processes, both ends, of one core
	PacketsPerSecond float64 `json:"packets_per_second"`
	KbitPerSecond    float64 `json:"kbit_per_second"` // one way
	// Status is ours only: that of both ends when the run ended.
	Status json.RawMessage `json:"status"`
	// Error is why the run failed. A failed run is kept.
	Error string `json:"error"`
}

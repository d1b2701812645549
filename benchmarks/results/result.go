// Package results holds what `make bench-peers` has measured: the files in
// benchmarks/results, one per invocation, read strictly, checked, and summed up
// over their repeats.
package results

import "encoding/json"

// File is what one invocation measured. Its name is YYYY-MM-DD-NAME.json.
type File struct {
	Schema  int     `json:"schema"` // 2; 1 is without what a processor's stalls excuse
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
	Packages     map[string]string   `json:"packages"` // Debian versions, "NAME of SUITE" for what was unpacked
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
	System  string `json:"system"`  // one of Systems
	Servers string `json:"servers"` // the guest's and the host's: "jackd+jackd", "jackd+pipewire"
	Setting string `json:"setting"` // "92frames", "auto", "--buff 2", "-q 3"
	// Slaved says that one end's clock follows the other's: no drift, no resampler. It
	// is the guest's that follows, or, with HostFollows, the host's.
	Slaved          bool     `json:"slaved"`
	HostFollows     bool     `json:"host_follows,omitempty"`
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
	// HostRoundTripFrames are the same in the host's graph, in frames of its server, after
	// the run and for a shorter time: jack_iodelay on the host, the sound sent back on the guest.
	HostRoundTripFrames []float64 `json:"host_round_trip_frames,omitempty"`
	// SoundShare is the share of the run in which the looped tone was there.
	SoundShare float64 `json:"sound_share"`
	Gaps       int     `json:"gaps"` // in the looped tone
	// CausedGaps are those that no witness tone, no failure of a server and, where
	// processors were watched, no stall of one explains.
	CausedGaps int `json:"caused_gaps"`
	// Stalls is null where processors were not watched (schema 1).
	Stalls           *Stalls `json:"stalls,omitempty"`
	WitnessGapsGuest int     `json:"witness_gaps_guest"`
	WitnessGapsHost  int     `json:"witness_gaps_host"`
	XrunsGuest       int     `json:"xruns_guest"`
	XrunsHost        int     `json:"xruns_host"`
	ConcealEvents    int     `json:"conceal_events"` // ours only: dropouts that both ends counted
	CPUPercent       float64 `json:"cpu_percent"`    // of the bridge's processes, both ends, of one core
	PacketsPerSecond float64 `json:"packets_per_second"`
	KbitPerSecond    float64 `json:"kbit_per_second"` // one way
	// WakeUpsPerPeriod is how often the threads of the bridge's processes, both ends,
	// gave up a processor to wait; 0 in schema 1.
	WakeUpsPerPeriod float64 `json:"wake_ups_per_period,omitempty"`
	// SystemCallsPerPeriod are of the same processes. Counting them costs a little at each,
	// so such a run (Kind "calls") says nothing else.
	SystemCallsPerPeriod float64 `json:"system_calls_per_period,omitempty"`
	// Kind is "" for a measurement, Calls for one that counts system calls.
	Kind string `json:"kind,omitempty"`
	// InTimeShare is the share of the cycles, 0 to 1, whose answer was there in time;
	// null where the bridge does not say so.
	InTimeShare *float64 `json:"in_time_share,omitempty"`
	// BenchFrames is the round trip that `archibald-bridge bench` measured after the
	// run: its median; ours only, 0 elsewhere.
	BenchFrames float64 `json:"bench_frames,omitempty"`
	// Status is ours only: that of both ends when the run ended.
	Status json.RawMessage `json:"status"`
	// Error is why the run failed. A failed run is kept.
	Error string `json:"error"`
}

// Calls is the Kind of a run that counts system calls.
const Calls = "calls"

// Stalls is what the watch on the processors saw during a run: only stalls of half a
// period or longer, more than a graph can make up for.
type Stalls struct {
	Count int `json:"count"`
	// Gaps are those of the run's gaps at which a processor stood still and no witness
	// tone broke. They are not among the caused ones.
	Gaps int `json:"gaps"`
	// TimeShare is the share of the run, 0 to 1, in which a gap would have been put down
	// to a stall: the share of the gaps that chance alone would excuse.
	TimeShare float64 `json:"time_share"`
}

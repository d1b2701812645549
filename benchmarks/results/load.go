package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Named is a file and what it is called.
type Named struct {
	Name string
	File
}

var fileName = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})-[a-z0-9-]+\.json$`)

// Load reads every .json file of a folder, by name. A folder without one is no
// error: nothing was measured.
func Load(folder string) ([]Named, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []Named
	for _, path := range paths { // Glob sorts
		name := filepath.Base(path)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		file, err := Parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		match := fileName.FindStringSubmatch(name)
		if match == nil || match[1] != file.Date {
			return nil, fmt.Errorf("%s: a file measured on %s is called %[2]s-NAME.json, NAME of a-z, 0-9 and -", name, file.Date)
		}
		all = append(all, Named{name, file})
	}
	return all, nil
}

// Parse reads one file. What the schema does not know is an error: a figure that
// nobody reads is a figure lost.
func Parse(data []byte) (File, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var f File
	if err := decoder.Decode(&f); err != nil {
		return File{}, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return File{}, errors.New("something follows the closing brace")
	}
	return f, f.validate()
}

func (f File) validate() error {
	if f.Schema != 1 && f.Schema != 2 {
		return fmt.Errorf("schema %d: legal are 1 and 2", f.Schema)
	}
	if _, err := time.Parse(time.DateOnly, f.Date); err != nil {
		return fmt.Errorf("date %q: legal is YYYY-MM-DD", f.Date)
	}
	if f.Commit == "" {
		return errors.New("commit is empty: nobody could measure the same again")
	}
	if f.Machine.Processor == "" || f.Machine.Processors < 1 || f.Machine.Kernel == "" {
		return errors.New("machine: processor, processors and kernel must be there")
	}
	if _, found := f.Machine.TimerUs["quiet"]; !found {
		return errors.New(`machine: timer_us has no "quiet": the runs have nothing to be held against`)
	}
	for i, r := range f.Runs {
		if err := r.validate(); err != nil {
			return fmt.Errorf("run %d (%s, %q, period %d, repeat %d): %w", i, r.System, r.Setting, r.PeriodFrames, r.Repeat, err)
		}
	}
	return nil
}

func (r Run) validate() error {
	if !slices.Contains(Systems, r.System) {
		return fmt.Errorf("system %q is not known", r.System)
	}
	if r.Kind != "" && r.Kind != Calls {
		return fmt.Errorf("kind %q: legal are none and %q", r.Kind, Calls)
	}
	if r.HostFollows && !r.Slaved {
		return errors.New("host_follows without slaved")
	}
	if s := r.Stalls; s != nil && (s.Count < 0 || s.Gaps < 0 || s.Gaps > r.Gaps-r.CausedGaps || s.TimeShare < 0 || s.TimeShare > 1) {
		return fmt.Errorf("stalls %+v: of %d gaps, %d of them caused", *s, r.Gaps, r.CausedGaps)
	}
	if s := r.InTimeShare; s != nil && (*s < 0 || *s > 1) {
		return fmt.Errorf("in_time_share %v: legal are 0 to 1", *s)
	}
	if _, err := time.Parse(time.RFC3339, r.Started); err != nil {
		return fmt.Errorf("started %q: legal is RFC 3339", r.Started)
	}
	for _, field := range []struct {
		name        string
		value       float64
		least, most float64
	}{
		{"period_frames", float64(r.PeriodFrames), 1, 8192},
		{"rate_hz", float64(r.RateHz), 8000, 192000},
		{"channels", float64(r.Channels), 1, 64},
		{"repeat", float64(r.Repeat), 0, 1000},
		{"skew_ppm", r.SkewPPM, -1000, 1000},
		{"seconds", r.Seconds, 0, 1e6},
		{"sound_share", r.SoundShare, 0, 1},
		{"gaps", float64(r.Gaps), 0, 1e9},
		{"caused_gaps", float64(r.CausedGaps), 0, float64(r.Gaps)},
		{"conceal_events", float64(r.ConcealEvents), 0, 1e9},
		{"cpu_percent", r.CPUPercent, 0, 1e5},
		{"packets_per_second", r.PacketsPerSecond, 0, 1e7},
		{"kbit_per_second", r.KbitPerSecond, 0, 1e9},
		{"wake_ups_per_period", r.WakeUpsPerPeriod, 0, 1e6},
		{"system_calls_per_period", r.SystemCallsPerPeriod, 0, 1e6},
		{"bench_frames", r.BenchFrames, 0, 1e6},
	} {
		if field.value < field.least || field.value > field.most {
			return fmt.Errorf("%s %v: legal are %v to %v", field.name, field.value, field.least, field.most)
		}
	}
	if r.Error == "" && r.Seconds == 0 {
		return errors.New("seconds is 0, and no error says why")
	}
	for _, field := range []struct {
		name   string
		frames []float64
	}{{"round_trip_frames", r.RoundTripFrames}, {"host_round_trip_frames", r.HostRoundTripFrames}} {
		for _, frames := range field.frames {
			if frames <= 0 {
				return fmt.Errorf("%s has %v: legal are positive ones", field.name, frames)
			}
		}
	}
	return nil
}

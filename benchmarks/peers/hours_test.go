package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"archibald-bridge/benchmarks/results"
)

func TestTheStallsOfASeedAreAlwaysTheSame(t *testing.T) {
	first, again, other := stallPlan(1, 2*time.Hour, time.Minute), stallPlan(1, 2*time.Hour, time.Minute), stallPlan(2, 2*time.Hour, time.Minute)
	if !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Error("a plan is not its seed's own")
	}
	if n := len(first); n < 80 || n > 160 {
		t.Errorf("%d stalls in 2 h, one a minute was asked for", n)
	}
	for i, s := range first {
		if s.AtSeconds < 20 || s.AtSeconds >= 7200 || s.Ms < 2 || s.Ms > 20 || i > 0 && s.AtSeconds < first[i-1].AtSeconds {
			t.Errorf("stall %d: %+v", i, s)
		}
	}
}

func TestWhatWasReadOnceIsNotReadAgain(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte(said), 0o600); err != nil {
		t.Fatal(err)
	}
	frames, upTo, err := readingsUpTo(log, 0)
	if err != nil || !slices.Equal(frames, []float64{189.093, 190.5}) {
		t.Fatalf("%v, %v", frames, err)
	}
	// The last reading was cut off, as in a file that is being written. Its rest comes now.
	rest := "trip latency\n\textra loopback latency: 1 frames\n\tuse 2 for the backend arguments -I and -O\n"
	if err := os.WriteFile(log, []byte(said+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if frames, _, err = readingsUpTo(log, upTo); err != nil || !slices.Equal(frames, []float64{192}) {
		t.Errorf("%v, %v; want the one that is whole by now", frames, err)
	}
}

func TestWrongFlagsOfHoursAreRefusedWithWhatIsLegal(t *testing.T) {
	for args, want := range map[string]string{
		"-length 5s": "1m to 48h", "-length 100h": "1m to 48h", "-stall-every 1ms": "1s and more", "-skew 2000": "-1000 to 1000", "all": "only flags",
	} {
		if _, err := parseHours(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
	if o, err := parseHours(nil); err != nil || o.length != 2*time.Hour || o.skewPPM != 100 || !strings.HasSuffix(o.out, "-hours.json") {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestWhatHoursWriteTheReportCanRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hours", "2030-01-02-hours.json")
	all := []*watched{{run: results.HoursRun{System: results.Ours, Setting: "80frames", Seconds: []float64{1, 3}, RoundTripFrames: []float64{160, 160.1}}}}
	h := results.Hours{Schema: 1, Date: "2030-01-02", Commit: "c", RateHz: 48000, PeriodFrames: 64, Seconds: 4, Stalls: []results.Stall{{AtSeconds: 2, Ms: 5}}}
	if err := writeHours(path, collected(h, all)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := results.ParseHours(text)
	if err != nil || len(got.Runs) != 1 || len(got.Runs[0].Seconds) != 2 || len(got.Stalls) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"archibald-bridge/benchmarks/results"
)

// run is an invented one: readings wander a frame around a round trip.
func run(system, setting string, period, repeat int, roundTrip float64, caused int) results.Run {
	r := results.Run{
		System: system, Servers: "jackd+jackd", Setting: setting, PeriodFrames: period, RateHz: 48000, Channels: 2,
		Repeat: repeat, SkewPPM: 100, SkewMeasuredPPM: 99.2, Started: fmt.Sprintf("2030-01-02T03:%02d:00Z", repeat), Seconds: 60,
		Commands: []string{system + " " + setting}, SoundShare: 0.99, Gaps: caused + 1, CausedGaps: caused,
		CPUPercent: 7.5, PacketsPerSecond: 750, KbitPerSecond: 3650,
	}
	if roundTrip == 0 {
		r.SoundShare = 0
		return r
	}
	for i := range 120 {
		r.RoundTripFrames = append(r.RoundTripFrames, roundTrip+float64(i%5-2)/2+float64(repeat))
	}
	return r
}

// invented are systems that differ in everything that the report tells apart.
func invented() results.File {
	f := results.File{
		Schema: 1, Date: "2030-01-02", Commit: "abc1234",
		Machine: results.Machine{
			Processor: "Test CPU", Processors: 2, Kernel: "6.1", Distribution: "Debian 12", Go: "go1.24", Load: "0.1",
			TimerUs: map[string]results.Lateness{"quiet": {P999: 127}, "plain": {P999: 900}},
		},
	}
	for repeat := range 3 {
		f.Runs = append(f.Runs,
			run(results.Control, "none", 64, repeat, 64, 0),
			run(results.Ours, "84frames", 64, repeat, 176, 4),
			run(results.Ours, "92frames", 64, repeat, 190, 1),
			run(results.Ours, "128frames", 64, repeat, 260, 0),
			run(results.Ours, "auto", 64, repeat, 210, 0),
			run("zita-njbridge", "--buff 0", 64, repeat, 0, 0),
			run("zita-njbridge", "--buff 2", 64, repeat, 420, 2),
			run("zita-njbridge", "--buff 10", 64, repeat, 800, 0),
			run("jacktrip", "-q 2", 64, repeat, 320, 30),
			slaved(run("netone", "-n 1", 64, repeat, 128, 3)),
			failed(run("netjack2", "-l 1", 64, repeat, 0, 0)),
		)
	}
	return f
}

func slaved(r results.Run) results.Run { r.Slaved, r.SkewPPM = true, 0; return r }

func failed(r results.Run) results.Run {
	r.Error = "jackd -d net\nnever came up"
	return r
}

// project is a folder with empty blocks and these results.
func project(t *testing.T, files ...results.File) string {
	t.Helper()
	root := t.TempDir()
	for _, folder := range []string{"docs", "benchmarks/results"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, root, "README.md", "before\n"+begin+"old\n"+end+"after\n")
	put(t, root, comparisonPage, "before\n"+begin+"old\n"+end+"after\n")
	put(t, root, measurementsPage, "before\n"+begin+end)
	for _, f := range files {
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		put(t, root, "benchmarks/results/"+f.Date+"-peers.json", string(data))
	}
	return root
}

func put(t *testing.T, root, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, root, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

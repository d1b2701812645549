package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"archibald-bridge/benchmarks/results"
)

// watched is ten minutes in which one bridge doubles its latency twice and the other keeps it.
func watched() results.Hours {
	h := results.Hours{
		Schema: 1, Date: "2030-01-02", Commit: "abc1234", Machine: invented().Machine, RateHz: 48000, PeriodFrames: 64, SkewPPM: -100, Seconds: 600, Seed: 7,
		Stalls: []results.Stall{{AtSeconds: 200, Ms: 10}, {AtSeconds: 400, Ms: 20}},
	}
	ours, theirs := results.HoursRun{System: results.Ours, Setting: "80frames"}, results.HoursRun{System: "netadapter", Setting: "-l 0"}
	for second := 1.0; second <= 600; second++ {
		frames := 480.0
		for _, s := range h.Stalls {
			if second > s.AtSeconds {
				frames *= 2
			}
		}
		odd := 0.0
		if second == 300 {
			odd = 5000 // one reading between two tones
		} else {
			ours.Seconds, ours.RoundTripFrames = append(ours.Seconds, second), append(ours.RoundTripFrames, 160)
		}
		theirs.Seconds, theirs.RoundTripFrames = append(theirs.Seconds, second), append(theirs.RoundTripFrames, frames+odd)
	}
	h.Runs = []results.HoursRun{ours, theirs}
	return h
}

func TestLatencyOverHoursIsDrawnAndTold(t *testing.T) {
	root := project(t, invented())
	for i, h := range []results.Hours{watched(), watched()} {
		if i == 0 { // an older file that must not count
			h.Seconds, h.Date = 1, "2029-01-01"
			h.Runs, h.Stalls = nil, nil
		}
		data, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		put(t, root, hoursFolder+"/"+h.Date+"-hours.json", string(data))
	}
	if err := write(root); err != nil {
		t.Fatal(err)
	}
	text := get(t, root, comparisonPage)
	lineWith(t, text, "10 minutes on Test CPU", "clocks 100 ppm apart", "2 times, for 15.0 ms on average", "2030-01-02-hours.json", "`abc1234`")
	lineWith(t, text, "| archibald-bridge | `80frames` | 3.33 | 3.33 | 3.33 | 0 times | 99.83 % |")
	lineWith(t, text, "| netadapter | `-l 0` | 10.00 | 40.00 | 124.17 | 2 times | 100.00 % |")
	if !strings.Contains(get(t, root, hoursPath), "netadapter -l 0") {
		t.Error("the figure does not name both")
	}
	if all, err := differences(root); err != nil || len(all) != 0 {
		t.Errorf("after writing: %q, %v", all, err)
	}
	if err := os.RemoveAll(filepath.Join(root, hoursFolder)); err != nil {
		t.Fatal(err)
	}
	if all, err := differences(root); err != nil || len(all) != 2 || !strings.Contains(strings.Join(all, " "), hoursPath+" is drawn from nothing") {
		t.Errorf("without its data: %q, %v", all, err)
	}
}

func TestABridgeThatEndedEarlySaysWhy(t *testing.T) {
	h := watched()
	h.Runs[1].Error = "after 9 s jackd-guest has ended"
	h.Runs[0] = results.HoursRun{System: results.Ours, Setting: "auto", Error: "it never began"}
	text := (&namedHours{"x.json", h}).text()
	lineWith(t, text, "| netadapter |", "100.00 %, then after 9 s jackd-guest has ended")
	lineWith(t, text, "| archibald-bridge |", "no sound came through it never began")
}

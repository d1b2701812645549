package main

import (
	"encoding/json"
	"strings"
	"testing"

	"archibald-bridge/benchmarks/results"
)

// inBothGraphs is an invented run whose round trips do not wander.
func inBothGraphs(system, servers, setting string, guest, host float64) results.Run {
	r := run(system, setting, 64, 0, guest, 2)
	r.Servers, r.Slaved, r.SkewPPM = servers, system != results.Control, 0
	r.RoundTripFrames, r.HostRoundTripFrames = []float64{guest}, []float64{host}
	return r
}

// locked is a measurement in which netJACK2 adds a period in the follower's graph alone.
func locked() results.File {
	f := invented()
	share := 0.9994
	guestLeads := inBothGraphs(results.Ours, "jackd+pipewire", "guest leads --answer-periods 1", 64.04, 66)
	guestLeads.HostFollows, guestLeads.InTimeShare = true, &share
	guestLeads.Stalls, guestLeads.WakeUpsPerPeriod, guestLeads.BenchFrames = &results.Stalls{Gaps: 1, TimeShare: 0.02}, 4.2, 63.9
	hostLeads := inBothGraphs(results.Ours, "jackd+pipewire", "host leads --answer-periods 1", 64, 67)
	f.Runs = []results.Run{
		guestLeads, hostLeads, inBothGraphs("netjack2", "jackd+jackd", "-l 0", 128, 64), inBothGraphs("netone", "jackd+nobody", "-n 1", 128, 0),
		inBothGraphs(results.Control, "jackd+pipewire", "none", 64, 65), inBothGraphs(results.Control, "jackd+jackd", "none", 64, 64),
		inBothGraphs("netjack2", "jackd+jackd", "-l 4", 0, 64),
	}
	f.Runs[3].HostRoundTripFrames, f.Runs[5].HostRoundTripFrames, f.Runs[6].RoundTripFrames = nil, nil, nil
	return f
}

// lockedSection is the part of the comparison about locked clocks, of these files by their
// names.
func lockedSection(t *testing.T, files map[string]results.File) (root, section string) {
	t.Helper()
	root = project(t)
	for name, f := range files {
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		put(t, root, lockedFolder+"/"+name, string(data))
	}
	if err := write(root); err != nil {
		t.Fatal(err)
	}
	_, section, _ = strings.Cut(get(t, root, comparisonPage), "\n## Locked mode\n")
	return root, section
}

func TestALockedRoundTripIsHeldAgainstTheControlOfTheSameGraph(t *testing.T) {
	_, text := lockedSection(t, map[string]results.File{"2030-01-02-locked.json": locked()})
	lineWith(t, text, "guest leads", "| 0.0 (64.0) | 1.0 (66.0) | 99.940 % | 2.00 (0.24 to 7.22) | 1.00 in 2.0 % of the time | 7.5 % | 4.2, not counted | 63.9 | 1 |")
	lineWith(t, text, "host leads", "| 2.0 (67.0) | 0.0 (64.0) |") // the leader is the host
	lineWith(t, text, "| netjack2 |", "| no control (64.0) | 64.0 (128.0) |")
	lineWith(t, text, "| control |", "jackd+jackd", "guest's loop: 64.0 | host's loop: not measured |")
	lineWith(t, text, "| netone |", "| not measured | no control (128.0) |")
	lineWith(t, text, "| control |", "jackd+pipewire", "guest's loop: 64.0 | host's loop: 65.0")
	lineWith(t, text, "commit `abc1234`", "Test CPU", "(../benchmarks/results/locked/2030-01-02-locked.json)")
	lineWith(t, text, "| netjack2 |", "`-l 4`", "| no control (64.0) | not heard |")
	if strings.Contains(text, "-0.0") {
		t.Error("a difference that is none is negative")
	}
}

func TestTheNewestMeasurementOfLockedClocksStandsAlone(t *testing.T) {
	newest := locked()
	newest.Date = "2030-01-03"
	newest.Runs = newest.Runs[2:]
	root, text := lockedSection(t, map[string]results.File{"2030-01-02-locked.json": locked(), "2030-01-03-locked.json": newest})
	if strings.Contains(text, "guest leads") || !strings.Contains(text, "2030-01-03") {
		t.Errorf("mixed with an older one:\n%s", text)
	}
	// No figure outside of its section comes from there.
	if page := get(t, root, comparisonPage); !strings.Contains(page, notMeasured) {
		t.Errorf("the comparison speaks of it elsewhere:\n%s", page)
	}
}

func TestAFailedLockedRunSaysWhy(t *testing.T) {
	f := locked()
	f.Runs[2].Error = "jackd -d net\nnever came up"
	_, text := lockedSection(t, map[string]results.File{"2030-01-02-locked.json": f})
	lineWith(t, text, "| netjack2 |", "failed: jackd -d net never came up |")
}

func TestAChangedLockedResultIsADifference(t *testing.T) {
	root, _ := lockedSection(t, map[string]results.File{"2030-01-02-locked.json": locked()})
	path := lockedFolder + "/2030-01-02-locked.json"
	put(t, root, path, strings.Replace(get(t, root, path), "[64.04]", "[65.04]", 1))
	if all, err := differences(root); err != nil || len(all) != 1 || !strings.Contains(all[0], comparisonPage) {
		t.Errorf("%q, %v", all, err)
	}
}

func TestWhereLockedClocksWereNotMeasuredThereIsNoSection(t *testing.T) {
	if _, text := lockedSection(t, nil); text != "" {
		t.Error(text)
	}
}

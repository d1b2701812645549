package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"archibald-bridge/benchmarks/results"
)

var everySkew = []float64{0, 100, -100, 500, -500}

// measured are the trials of a plan but those that count system calls.
func measured(trials []trial) []trial {
	return slices.DeleteFunc(slices.Clone(trials), func(t trial) bool { return t.kind != "" })
}

func TestARepeatIsOverBeforeTheNextBegins(t *testing.T) {
	trials := measured(plan(systems, places, 3, everySkew))
	if !slices.IsSortedFunc(trials, func(a, b trial) int { return a.repeat - b.repeat }) {
		t.Error("the repeats are mixed")
	}
	made := map[int]map[string]bool{0: {}, 1: {}, 2: {}}
	for _, trial := range trials {
		made[trial.repeat][trial.String()] = true
	}
	for repeat, different := range made {
		if len(different) != len(trials)/3 {
			t.Errorf("repeat %d has %d different trials, want %d", repeat, len(different), len(trials)/3)
		}
	}
}

func TestSystemsAreInterleavedTheSameWayEveryTime(t *testing.T) {
	trials := measured(plan(systems, places[:1], 2, everySkew))
	half := len(trials) / 2
	inARow, changes := 0, 0
	for i := 1; i < half; i++ {
		if trials[i].system == trials[i-1].system {
			inARow++
		}
		if trials[i].String() != trials[half+i].String() {
			changes++
		}
	}
	if inARow > half/2 {
		t.Errorf("%d of %d trials follow one of the same system", inARow, half)
	}
	if changes == 0 {
		t.Error("both repeats have the same order")
	}
	if !slices.EqualFunc(trials, measured(plan(systems, places[:1], 2, everySkew)), func(a, b trial) bool { return a == b }) {
		t.Error("another plan has another order: an interrupted run would not go on as it began")
	}
}

func TestAllSystemsOfARepeatHaveTheSameSkewAndThreeRepeatsOfTwoPeriodsSeeAllFive(t *testing.T) {
	type when struct{ period, repeat int }
	skews := map[when]float64{}
	seen := map[float64]bool{}
	for _, trial := range measured(plan(systems, places[:2], 3, everySkew)) {
		at := when{trial.periodFrames, trial.repeat}
		if before, ok := skews[at]; ok && before != trial.skewPPM {
			t.Fatalf("%v: %+g ppm beside %+g", at, trial.skewPPM, before)
		}
		skews[at] = trial.skewPPM
		seen[trial.skewPPM] = true
	}
	if len(seen) != 5 {
		t.Errorf("skews %v, want all five", seen)
	}
}

func TestSystemCallsAreCountedOnceForEachSystemAtTheEnd(t *testing.T) {
	trials := plan(systems, places, 3, everySkew)
	first := slices.IndexFunc(trials, func(t trial) bool { return t.kind == results.Calls })
	made := map[string]int{}
	for _, trial := range trials[first:] {
		if trial.kind != results.Calls || trial.length(60) != callsSeconds || trial.system.name == results.Control {
			t.Errorf("%v for %v s is among them", trial, trial.length(60))
		}
		made[fmt.Sprint(trial.system.name, trial.system.servers, trial.system.follows, trial.place)]++
	}
	controls := 0
	for _, s := range systems {
		if s.name == results.Control {
			controls++
		}
	}
	if want := len(places) * (len(systems) - controls); len(made) != want {
		t.Errorf("%d systems and places have them, want %d", len(made), want)
	}
}

func TestEverySystemHasACurveAndEveryServerAControl(t *testing.T) {
	controlled := map[string]bool{}
	for _, s := range systems {
		if s.name == results.Control {
			controlled[s.servers] = true
		}
	}
	for _, s := range systems {
		if !slices.Contains(results.Systems, s.name) {
			t.Errorf("%s is no legal name in a file of results", s.name)
		}
		for _, at := range places {
			// Locked clocks leave nothing to set but how many periods an answer takes.
			least := 3
			if s.name == results.Ours && s.follows != neither {
				least = 2
			}
			if n := len(s.settings[at]); n < least && s.name != results.Control {
				t.Errorf("%s has %d settings at period %v, want %d at least", s.name, n, at, least)
			}
		}
		if !controlled[s.servers] {
			t.Errorf("%s: no control between %s", s.name, s.servers)
		}
	}
}

func TestATrialKnowsItsRun(t *testing.T) {
	made := trial{system: systems[1], setting: "auto", place: places[0], repeat: 1, skewPPM: 100}
	r := results.Run{System: made.system.name, Servers: made.system.servers, Setting: "auto", PeriodFrames: 64, RateHz: 48000, Repeat: 1, SkewPPM: 100, Seconds: 60}
	if !made.isDone(r, 60) {
		t.Error("not recognised")
	}
	for name, change := range map[string]func(*results.Run){
		"system":  func(r *results.Run) { r.System = "jacktrip" },
		"servers": func(r *results.Run) { r.Servers = "pipewire+pipewire" },
		"setting": func(r *results.Run) { r.Setting = "96frames" },
		"period":  func(r *results.Run) { r.PeriodFrames = 32 },
		"rate":    func(r *results.Run) { r.RateHz = 96000 },
		"repeat":  func(r *results.Run) { r.Repeat = 0 },
		"skew":    func(r *results.Run) { r.SkewPPM = -100 },
		"seconds": func(r *results.Run) { r.Seconds = 8 },
		"kind":    func(r *results.Run) { r.Kind = results.Calls },
	} {
		other := r
		change(&other)
		if made.isDone(other, 60) {
			t.Errorf("taken for a run of another %s", name)
		}
	}
}

func TestTheEstimateCountsWhatEachSystemNeedsToSettle(t *testing.T) {
	quick, slow := &system{}, &system{settle: 65 * time.Second}
	if got := estimate([]trial{{system: quick}, {system: slow}}, 60*time.Second); got != (2*(around+time.Minute+hostReading) + usualSettle + 65*time.Second).Round(time.Minute) {
		t.Errorf("%v", got)
	}
}

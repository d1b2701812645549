package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"archibald-bridge/benchmarks/results"
)

func here() (results.Machine, error) { return results.Machine{Processor: "p", Processors: 2}, nil }

func runOf(t trial) results.Run {
	return results.Run{System: t.system.name, Servers: t.system.servers, Setting: t.setting, PeriodFrames: t.periodFrames, RateHz: t.rateHz, Kind: t.kind,
		Repeat: t.repeat, SkewPPM: t.skewPPM, Seconds: t.length(60), RoundTripFrames: []float64{1, 2.5},
		Commands: []string{"a b"}, Status: json.RawMessage(`{"guest":1}`)}
}

func TestAnInterruptedInvocationGoesOnWhereItStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results", "2026-01-02-peers.json")
	s, err := openStore(path, "c1", here)
	if err != nil {
		t.Fatal(err)
	}
	trials := measured(plan(systems, places[:1], 2, everySkew))
	for i, trial := range trials[:3] {
		r := runOf(trial)
		if i == 1 {
			r.Error = "failed twice"
		}
		if err := s.add(r); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openStore(path, "c1", func() (results.Machine, error) { return results.Machine{}, errors.New("described twice") })
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.file, s.file) {
		t.Errorf("got %+v\nwant %+v", again.file, s.file)
	}
	left := again.remaining(trials, 60)
	if len(left) != len(trials)-3 || left[0] != trials[3] {
		t.Errorf("%d left of %d, first %v", len(left), len(trials), left[0])
	}
	if longer := again.remaining(trials, 120); len(longer) != len(trials) {
		t.Errorf("%d left at another length, want all %d", len(longer), len(trials))
	}
}

func TestTheFileIsWholeAfterEveryRunAndHasALineForEach(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	s, err := openStore(path, "c1", here)
	if err != nil {
		t.Fatal(err)
	}
	trials := plan(systems, places[1:2], 1, everySkew)
	for n := range 4 {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var f results.File
		if err := json.Unmarshal(text, &f); err != nil || len(f.Runs) != n || f.Schema != 2 {
			t.Fatalf("after %d runs: %v, %d runs\n%s", n, err, len(f.Runs), text)
		}
		if lines := strings.Count(string(text), `"system":`); lines != n || n > 0 && strings.Count(string(text), "\n  {") != n {
			t.Errorf("%d runs in\n%s", n, text)
		}
		if err := s.add(runOf(trials[n])); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(path + "?*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRunsOfTwoCommitsDoNotMix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	if _, err := openStore(path, "c1", here); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(path, "c2", here); err == nil || !strings.Contains(err.Error(), "-out") {
		t.Errorf("error %v", err)
	}
}

func TestAFileThatIsNoneOfOursIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(path, []byte("my diary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(path, "c1", here); err == nil {
		t.Error("no error")
	}
	if text, _ := os.ReadFile(path); string(text) != "my diary" {
		t.Errorf("now %q", text)
	}
}

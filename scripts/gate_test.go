package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// gate runs steps as a tier does, with a go that does what a shell script says.
func gate(t *testing.T, fakeGo, steps string) (passed bool, said string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/bash\n"+fakeGo+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "bash", "-uc", "set -o pipefail; . ./gate.sh; "+steps+"; finish")
	command.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	return err == nil, string(out)
}

func wantSaid(t *testing.T, said string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(said, text) {
			t.Errorf("%q is not in\n%s", text, said)
		}
	}
}

func TestAGateEndsWithItsSlowestTests(t *testing.T) {
	passed, said := gate(t, `printf '%s\n' '--- PASS: TestQuick (0.01s)' '--- PASS: TestSlow (12.30s)' '    --- PASS: TestSlow/row (12.00s)' 'ok  	archibald-bridge/a	12.4s' \
		'--- PASS: TestKept (99.00s)' 'ok  	archibald-bridge/b	(cached)'`, `tests "two packages" ./...`)
	if !passed {
		t.Error("it failed")
	}
	wantSaid(t, said, "two packages, 4 tests", "12.3 s  TestSlow (archibald-bridge/a)\n", "4 tests passed, 0 steps failed")
	if strings.Contains(said, "TestKept (") {
		t.Errorf("a test from the cache is called slow:\n%s", said)
	}
}

func TestAFailedStepIsShownAndTheOthersRun(t *testing.T) {
	passed, said := gate(t, "", `step one sh -c 'echo why; exit 3'; step two true`)
	if passed {
		t.Error("it passed")
	}
	wantSaid(t, said, "FAIL  one", "why\n", "ok    two", "1 steps failed")
}

func TestWhyATestFailedIsSaidOnceMoreAtTheEnd(t *testing.T) {
	passed, said := gate(t, `printf '%s\n' '=== RUN   TestX' '    x_test.go:7: wrong' '--- FAIL: TestX (0.01s)' 'FAIL	archibald-bridge/a	1s'; exit 1`, `tests go ./...; step two true`)
	if passed || strings.LastIndex(said, "x_test.go:7: wrong") < strings.Index(said, "ok    two") {
		t.Errorf("passed %v, said\n%s", passed, said)
	}
}

func TestASkippedTestIsAFailureAndSoIsNone(t *testing.T) {
	for output, why := range map[string]string{
		"--- PASS: TestA (0.00s)\n--- SKIP: TestB (0.00s)": "1 tests were skipped",
		"ok  	archibald-bridge/a	0.1s [no tests to run]":   "no test ran",
	} {
		passed, said := gate(t, "cat <<'END'\n"+output+"\nEND", "tests go ./...")
		if passed {
			t.Errorf("%q passed", output)
		}
		wantSaid(t, said, "FAIL  go", why)
	}
}

func TestStepsMayOverlapAndEachIsCounted(t *testing.T) {
	passed, said := gate(t, `echo '--- PASS: TestA (0.00s)'`, "{ tests one ./a; step three false; } & tests two ./b & wait")
	if passed {
		t.Error("it passed")
	}
	wantSaid(t, said, "one, 1 tests", "two, 1 tests", "FAIL  three", "2 tests passed, 1 steps failed")
}

func TestAttemptsAreToldAndTheLastStandsOut(t *testing.T) {
	_, said := gate(t, "", `step try sh -c 'printf "%s\n" "1 3 TestCalm" "2 3 TestUneasy" "3 3 TestWorn" >>$ARCHIBALD_ATTEMPTS'`)
	wantSaid(t, said, "attempts: TestUneasy 2 of 3\n", "attempts: TestWorn 3 of 3  <-- ITS LAST\n", "attempts: 6 by 3 tests")
	if strings.Contains(said, "TestCalm") {
		t.Errorf("a test that needed one attempt is named:\n%s", said)
	}
}

// Which package is tested how is not written down anywhere, but found.
func TestEveryPackageWithTestsIsOfOneKind(t *testing.T) {
	list := func(function string) []string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "bash", "-uc", "set -o pipefail; . scripts/gate.sh; "+function)
		command.Dir = ".."
		out, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v", function, err)
		}
		return strings.Fields(string(out))
	}
	kinds := map[string]int{}
	for _, name := range append(list("with_servers"), list("without_servers")...) {
		kinds[name]++
	}
	for _, name := range list("go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...") {
		if kinds[name] != 1 {
			t.Errorf("%s is of %d kinds", name, kinds[name])
		}
	}
	if all, parts := len(list("with_servers")), len(list("judging_sound"))+len(list("asking")); all != parts {
		t.Errorf("%d packages with servers, in parts %d", all, parts)
	}
	for function, want := range map[string][2]string{ // one that is listed, and one that is not
		"with_servers":     {"archibald-bridge/testbed/endtoend", "archibald-bridge/bridge/rt"},
		"without_servers":  {"archibald-bridge/bridge/rt", "archibald-bridge/bridge/audio/jack"},
		"judging_sound":    {"archibald-bridge/testbed/interop", "archibald-bridge/bridge/audio/jack"},
		"asking":           {"archibald-bridge/bridge/audio/jack", "archibald-bridge/testbed/endtoend"},
		"without_c":        {"archibald-bridge/proto", "archibald-bridge/bridge/rt"},
		"with_portaudio":   {"archibald-bridge/bridge/audio/portaudio", "archibald-bridge/bridge/audio/jack"},
		"calling_programs": {"archibald-bridge/scripts", "archibald-bridge/proto"},
	} {
		got := " " + strings.Join(list(function), " ") + " "
		if !strings.Contains(got, " "+want[0]+" ") || strings.Contains(got, " "+want[1]+" ") {
			t.Errorf("%s: %s; want %s and not %s", function, got, want[0], want[1])
		}
	}
}

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

func TestAFileWithoutTestsIsAnErrorAndNoPatternOfAll(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"some_test.go": "func TestA(t *testing.T) {\nfunc helper() {\nfunc TestB_1(t *testing.T) {\n", "none_test.go": "func helper() {\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"some_test.go": "^TestA$|^TestB_1$\nended with 0",
		"none_test.go": "no tests in " + dir + "/none_test.go\nended with 1",
		"renamed.go":   "no tests in " + dir + "/renamed.go\nended with 1",
	} {
		_, said := gate(t, "", "tests_in "+dir+"/"+name+`; echo "ended with $?"`)
		wantSaid(t, said, want)
	}
}

// Which package is tested how is not written down anywhere, but found.
func TestEveryPackageWithTestsIsOfOneKind(t *testing.T) {
	functions := []string{"with_servers", "without_servers", "judging_sound", "asking", "without_c", "with_portaudio", "calling_programs", "all"}
	command := exec.CommandContext(t.Context(), "bash", "-uc", `set -o pipefail; . scripts/gate.sh
		all() { go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...; }
		for f in `+strings.Join(functions, " ")+`; do $f | sed "s/^/$f /" || exit; done`)
	command.Dir = ".."
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]map[string]bool{}
	for _, function := range functions {
		listed[function] = map[string]bool{}
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		function, name, _ := strings.Cut(line, " ")
		listed[function][strings.TrimPrefix(name, "archibald-bridge/")] = true
	}
	for name := range listed["all"] {
		if listed["with_servers"][name] == listed["without_servers"][name] {
			t.Errorf("%s: servers are started %v", name, listed["with_servers"][name])
		}
		if listed["with_servers"][name] && listed["judging_sound"][name] == listed["asking"][name] {
			t.Errorf("%s: sound is judged %v", name, listed["judging_sound"][name])
		}
	}
	for function, want := range map[string][2]string{ // one that is listed, and one that is not
		"with_servers":     {"testbed/endtoend", "bridge/rt"},
		"without_servers":  {"bridge/rt", "bridge/audio/jack"},
		"judging_sound":    {"testbed/interop", "bridge/audio/jack"},
		"asking":           {"testbed/sessions", "testbed/endtoend"},
		"without_c":        {"proto", "bridge/rt"},
		"with_portaudio":   {"bridge/audio/portaudio", "bridge/audio/jack"},
		"calling_programs": {"scripts", "proto"},
	} {
		if !listed[function][want[0]] || listed[function][want[1]] {
			t.Errorf("%s lists %v; want %s and not %s", function, listed[function], want[0], want[1])
		}
	}
}

// tier runs one of the scripts, with a go that lists packages and only pretends to test
// them, and returns the calls of go test.
func tier(t *testing.T, script string, env ...string) (said string, calls []string) {
	t.Helper()
	realGo, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	for name, body := range map[string]string{
		"go": `case $1 in list | env) exec ` + realGo + ` "$@" ;; test) echo "$*" >>` + log + `; echo '--- PASS: TestA (0.00s)' ;; esac`,
		// Nothing is missing here, and nothing else is run.
		"dpkg-query": "printf installed", "make": "", "gofmt": "", "golangci-lint": "", "nix-instantiate": "exit 1",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/bash\n"+body+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "bash", script)
	command.Env = append(append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH")), env...)
	out, _ := command.CombinedOutput() // without nix a step fails
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out), strings.Split(strings.TrimSpace(string(text)), "\n")
}

// testedBy are the calls that test a package, named by its import path.
func testedBy(calls []string, path string) (found []string) {
	for _, call := range calls {
		if strings.Contains(call+" ", " "+path+" ") {
			found = append(found, call)
		}
	}
	return found
}

func TestCheckStartsNoServer(t *testing.T) {
	said, calls := tier(t, "check.sh")
	if !strings.Contains(said, "0 steps failed") {
		t.Error(said)
	}
	for name, times := range map[string]int{"proto": 1, "bridge/rt": 1, "testbed/sim": 1, "bridge/audio/jack": 0, "testbed/endtoend": 0} {
		if by := testedBy(calls, "archibald-bridge/"+name); len(by) != times {
			t.Errorf("%s is tested by %q", name, by)
		}
	}
	if by := testedBy(calls, "archibald-bridge/bridge/rt"); len(by) == 1 && !strings.Contains(by[0], " -race ") {
		t.Errorf("bridge/rt without the race detector: %q", by)
	}
}

func TestTestAndSoakTestEveryPackage(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "../...")
	all, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for soak, fuzzed := range map[string]int{"": 3, "1": 12} {
		said, calls := tier(t, "test.sh", "ARCHIBALD_SOAK="+soak)
		for _, name := range strings.Fields(string(all)) {
			if len(testedBy(calls, name)) == 0 {
				t.Errorf("ARCHIBALD_SOAK=%q: nothing tests %s", soak, name)
			}
		}
		if n := strings.Count(strings.Join(calls, "\n"), " -fuzz "); n < fuzzed {
			t.Errorf("ARCHIBALD_SOAK=%q: %d fuzz targets, want %d at least", soak, n, fuzzed)
		}
		for _, name := range []string{"bridge/rt", "bridge/audio/jack", "bridge/audio/pipewire", "guest", "host", "bridge/session"} {
			raced := false
			for _, call := range testedBy(calls, "archibald-bridge/"+name) {
				raced = raced || strings.Contains(call, " -race ")
			}
			if !raced {
				t.Errorf("ARCHIBALD_SOAK=%q: %s never runs under the race detector", soak, name)
			}
		}
		// The last step is the one that needs the machine for itself.
		if last := calls[len(calls)-1]; !strings.Contains(last, "testbed/endtoend") || strings.Contains(last, " -race ") {
			t.Errorf("ARCHIBALD_SOAK=%q: the last step is %q", soak, last)
		}
		if !strings.Contains(said, "1 steps failed") { // nix alone
			t.Errorf("ARCHIBALD_SOAK=%q: %s", soak, said)
		}
	}
}

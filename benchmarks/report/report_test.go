package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"archibald-bridge/benchmarks/results"
)

// The rule of this package: what is committed is what the data gives.
func TestTheDocumentationSaysWhatWasMeasured(t *testing.T) {
	all, err := differences("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range all {
		t.Errorf("%s\nmend it with: %s", difference, command)
	}
}

// written is the documentation of these results: the two parts of the comparison.
func written(t *testing.T, files ...results.File) (root, best, every string) {
	t.Helper()
	root = project(t, files...)
	if err := write(root); err != nil {
		t.Fatal(err)
	}
	best, every, _ = strings.Cut(get(t, root, comparisonPage), "\n## Every setting\n")
	return root, best, every
}

// lineWith is the one line that has all of this in it.
func lineWith(t *testing.T, text string, parts ...string) string {
	t.Helper()
	found := ""
	for line := range strings.Lines(text) {
		has := true
		for _, part := range parts {
			has = has && strings.Contains(line, part)
		}
		if has && found != "" {
			t.Fatalf("%q is in two lines:\n%s%s", parts, found, line)
		}
		if has {
			found = line
		}
	}
	if found == "" {
		t.Fatalf("%q is in no line of\n%s", parts, text)
	}
	return found
}

func TestWhatWasWrittenIsNoDifference(t *testing.T) {
	root, _, _ := written(t, invented())
	if all, err := differences(root); err != nil || len(all) != 0 {
		t.Errorf("%q, %v", all, err)
	}
}

func TestAChangedFigureIsNamedByItsLine(t *testing.T) {
	root, best, every := written(t, invented())
	put(t, root, comparisonPage, strings.Replace(best+"\n## Every setting\n"+every, "191.0 (190.0 to 192.0)", "91.0 (90.0 to 92.0)", 1))
	all, err := differences(root)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Count(best[:strings.Index(best, "191.0 (190.0 to 192.0)")], "\n") + 1
	if len(all) != 1 || !strings.HasPrefix(all[0], fmt.Sprintf("%s:%d ", comparisonPage, line)) || !strings.Contains(all[0], "91.0 (90.0 to 92.0)") {
		t.Errorf("%q, want %s:%d and both lines", all, comparisonPage, line)
	}
}

func TestAChangedResultIsADifferenceInTextAndPlots(t *testing.T) {
	root, _, _ := written(t, invented())
	changed := invented()
	for i := range changed.Runs {
		if r := &changed.Runs[i]; r.System == results.Ours && r.Setting == "92frames" {
			for j := range r.RoundTripFrames {
				r.RoundTripFrames[j] -= 30
			}
		}
	}
	other := project(t, changed)
	put(t, root, "benchmarks/results/2030-01-02-peers.json", get(t, other, "benchmarks/results/2030-01-02-peers.json"))
	all, err := differences(root)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(all, "\n")
	for _, path := range []string{"README.md:", comparisonPage + ":", "docs/img/curve-64.svg:", "docs/img/distribution-64.svg:", "docs/img/overtime-64.svg:"} {
		if !strings.Contains(text, path) {
			t.Errorf("no difference in %s", path)
		}
	}
}

func TestAMissingAndAnAbandonedPlotAreDifferences(t *testing.T) {
	root, _, _ := written(t, invented())
	if err := os.Rename(filepath.Join(root, "docs/img/curve-64.svg"), filepath.Join(root, "docs/img/curve-128.svg")); err != nil {
		t.Fatal(err)
	}
	all, err := differences(root)
	if err != nil || len(all) != 2 || all[0] != "docs/img/curve-128.svg is drawn from nothing" || all[1] != "docs/img/curve-64.svg is not there" {
		t.Errorf("%q, %v", all, err)
	}
	if err := write(root); err != nil {
		t.Fatal(err)
	}
	if all, err := differences(root); err != nil || len(all) != 0 {
		t.Errorf("after writing: %q, %v", all, err)
	}
}

func TestWhatIsOutsideTheBlockStays(t *testing.T) {
	root, _, _ := written(t, invented())
	for _, path := range []string{"README.md", comparisonPage} {
		if text := get(t, root, path); !strings.HasPrefix(text, "before\n"+begin) || !strings.HasSuffix(text, end+"after\n") || strings.Contains(text, "old") {
			t.Errorf("%s is\n%s", path, text)
		}
	}
}

func TestAPageWithoutMarkersIsAnError(t *testing.T) {
	for _, page := range []string{"", begin, end, end + begin, begin + end + begin + end} {
		if text, err := replaceBlock([]byte(page), "new"); err == nil {
			t.Errorf("%q became %q", page, text)
		}
	}
}

func TestNothingMeasuredIsSaid(t *testing.T) {
	root, _, _ := written(t)
	for path, said := range map[string]string{"README.md": "Not measured beside other bridges yet", comparisonPage: "Not measured beside other bridges yet", measurementsPage: "not simulated"} {
		if text := get(t, root, path); !strings.Contains(text, said) {
			t.Errorf("an empty folder gives no %q in %s:\n%s", said, path, text)
		}
	}
	if all, err := differences(root); err != nil || len(all) != 0 {
		t.Errorf("%q, %v", all, err)
	}
}

func TestAnIllegalResultIsAnErrorAndNothingIsWritten(t *testing.T) {
	root := project(t)
	put(t, root, "benchmarks/results/2030-01-02-peers.json", "{}")
	if err := write(root); err == nil || !strings.Contains(err.Error(), "2030-01-02-peers.json") {
		t.Errorf("%v", err)
	}
	if text := get(t, root, "README.md"); !strings.Contains(text, "old") {
		t.Errorf("README is\n%s", text)
	}
}

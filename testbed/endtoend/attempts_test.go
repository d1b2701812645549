package endtoend

import (
	"fmt"
	"strings"
	"testing"
)

const attempts = 3

// unbroken plays, on servers of its own, until sound was heard as it should be: again
// only where servers failed while it was heard, since that breaks sound, and three
// times at most.
func unbroken(t *testing.T, config Config, play func(*testing.T, *Rig) (faults []string, serverFailures int)) {
	t.Helper()
	for attempt := 1; ; attempt++ {
		r := start(t, config)
		faults, serverFailures := play(t, r)
		if len(faults) == 0 {
			return
		}
		report := fmt.Sprintf("attempt %d, servers failed %d times:\n%s", attempt, serverFailures, strings.Join(faults, "\n"))
		if serverFailures == 0 || attempt == attempts {
			t.Fatal(report)
		}
		t.Log(report)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

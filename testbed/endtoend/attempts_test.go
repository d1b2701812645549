package endtoend

import (
	"fmt"
	"strings"
	"testing"

	"archibald-bridge/testbed/gate"
)

const attempts = 3

// unbroken plays, on servers of its own, until sound was heard as it should be: again
// only where servers failed while it was heard, since that breaks sound, and three
// times at most. The run's last lines say how often.
func unbroken(t *testing.T, config Config, play func(*testing.T, *Rig) (faults []string, serverFailures int)) {
	t.Helper()
	used := 0
	defer func() { gate.Attempts(t, used, attempts) }()
	for attempt := 1; ; attempt++ {
		used = attempt
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

// Package gate is what a test and the run that it is part of (scripts/gate.sh) know of each
// other: how long the test may take, and how often it had to try.
package gate

import (
	"fmt"
	"os"
	"testing"
)

// Soaking says that the test runs in make soak, which has hours.
func Soaking() bool { return os.Getenv("ARCHIBALD_SOAK") != "" }

// Soak is a quantity that is longer in make soak than in make test. The test must judge by
// either that the same holds. docs/testing.md lists what is shorter in make test, and why.
func Soak[T any](usual, long T) T {
	if Soaking() {
		return long
	}
	return usual
}

// Attempts records how many of its attempts a test used that may try again where audio
// servers fail. The last lines of the run show it. A test calls it once, also when the
// first attempt was enough.
func Attempts(t testing.TB, used, of int) {
	t.Helper()
	file := os.Getenv("ARCHIBALD_ATTEMPTS")
	if file == "" {
		return
	}
	// Several test programs append at once: one short write each (open(2), O_APPEND).
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Error(err)
		return
	}
	_, err = fmt.Fprintf(f, "%d %d %s\n", used, of, t.Name())
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		t.Error(err)
	}
}

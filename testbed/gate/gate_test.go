package gate

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestEachTestThatMayTryAgainIsALine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "attempts")
	t.Setenv("ARCHIBALD_ATTEMPTS", file)
	Attempts(t, 1, 3)
	t.Run("a row", func(t *testing.T) { Attempts(t, 3, 3) })
	text, err := os.ReadFile(file)
	want := "1 3 TestEachTestThatMayTryAgainIsALine\n3 3 TestEachTestThatMayTryAgainIsALine/a_row\n"
	if err != nil || string(text) != want {
		t.Errorf("%v, %q, want %q", err, text, want)
	}
}

func TestATestByItselfRecordsNothing(t *testing.T) {
	t.Setenv("ARCHIBALD_ATTEMPTS", "")
	Attempts(t, 3, 3)
}

func TestOnlyTheSoakIsLong(t *testing.T) {
	for set, want := range map[string]time.Duration{"": time.Second, "1": time.Hour} {
		t.Setenv("ARCHIBALD_SOAK", set)
		if got := Soak(time.Second, time.Hour); got != want {
			t.Errorf("ARCHIBALD_SOAK=%q: %v, want %v", set, got, want)
		}
	}
}

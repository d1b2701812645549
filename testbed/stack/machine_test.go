package stack

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// claimAsOther is this test program once more: it claims the machine, says so, and gives it
// up when its input ends.
func claimAsOther(t *testing.T, how string) (got <-chan struct{}, release func()) {
	t.Helper()
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), "STACK_TEST_CLAIM="+how)
	input, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	claimed := make(chan struct{})
	go func() {
		if n, _ := output.Read(make([]byte, 1)); n == 1 {
			close(claimed)
		}
	}()
	return claimed, func() {
		_ = input.Close()
		if err := other.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func claimUntilTheInputEnds(how string) {
	if err := claim(how == "alone"); err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("x")
	_, _ = os.Stdin.Read(make([]byte, 1))
	disclaim()
}

func within(claimed <-chan struct{}, d time.Duration) bool {
	select {
	case <-claimed:
		return true
	case <-time.After(d):
		return false
	}
}

func TestTheMachineIsSharedOrOnesOwn(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // the real one is what the run holds
	const soon, never = 10 * time.Second, 300 * time.Millisecond
	for _, row := range []struct {
		first, second string
		waits         bool
	}{{"shared", "shared", false}, {"shared", "alone", true}, {"alone", "shared", true}, {"alone", "alone", true}} {
		t.Run(row.first+", then "+row.second, func(t *testing.T) {
			has, releaseFirst := claimAsOther(t, row.first)
			if !within(has, soon) {
				t.Fatal("the first waits")
			}
			wants, releaseSecond := claimAsOther(t, row.second)
			if row.waits && within(wants, never) {
				t.Error("the second did not wait")
			}
			if row.waits {
				releaseFirst()
			}
			if !within(wants, soon) {
				t.Error("the second waits forever")
			}
			if !row.waits {
				releaseFirst()
			}
			releaseSecond()
		})
	}
}

// Those who share the machine do not keep out who waits for it.
func TestWhoWaitsForTheMachineIsNext(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const soon, never = 10 * time.Second, 300 * time.Millisecond
	has, releaseFirst := claimAsOther(t, "shared")
	if !within(has, soon) {
		t.Fatal("the first waits")
	}
	wants, releaseSecond := claimAsOther(t, "alone")
	if within(wants, never) {
		t.Fatal("the second did not wait")
	}
	late, releaseThird := claimAsOther(t, "shared")
	if within(late, never) {
		t.Error("who came later was first")
	}
	releaseFirst()
	if !within(wants, soon) || within(late, never) {
		t.Error("the second is not next")
	}
	releaseSecond()
	if !within(late, soon) {
		t.Error("the third waits forever")
	}
	releaseThird()
}

func TestAProcessKeepsTheMachineUntilItsLastStackIsClosed(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var open []*Stack
	for _, make := range []func() (*Stack, error){NewShared, New, NewShared} {
		s, err := make()
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	wants, release := claimAsOther(t, "shared")
	for i, s := range open {
		if within(wants, 300*time.Millisecond) {
			t.Fatalf("another process has the machine, and %d stacks are open", len(open)-i)
		}
		for range 2 { // Close may be called twice
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if !within(wants, 10*time.Second) {
		t.Error("the machine was not given up")
	}
	release()
}

// jackd2 has eight places on a machine.
func TestServersOfTestsThatShareTheMachineWaitForAPlace(t *testing.T) {
	full := map[string]int{"a-1": 1, "b-1": 2, "c-2": 3, "d-3": 4}
	if hasPlace("f-4", full) {
		t.Error("a fifth server starts")
	}
	if !hasPlace("c-2", full) {
		t.Error("a server that has its place does not start again")
	}
	delete(full, "b-1")
	full["archibald-test-9"] = 5 // testbed/jacktest's
	if !hasPlace("f-4", full) {
		t.Error("a place that was given back is not taken")
	}
}

func TestServersThatStartAtTheSameTimeTakeNoPlaceTwice(t *testing.T) {
	newSharedStack(t)
	started, err := takePlace("first-0")
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error)
	go func() {
		started, err := takePlace("second-0")
		if err == nil {
			started()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Fatalf("the second looks for a place before the first is in the table: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	started()
	if err := <-second; err != nil {
		t.Error(err)
	}
}

func TestWhatRunsBesideOthersDoesNotGetTheMachineForItself(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("ARCHIBALD_BESIDE", "1")
	s, err := NewShared()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := New(); err == nil || !strings.Contains(err.Error(), "asks_beside") {
		t.Errorf("got %v", err)
	}
}

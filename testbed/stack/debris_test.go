package stack

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestMain lets the test binary play a process that panics with a stack up, or one that
// claims the machine.
func TestMain(m *testing.M) {
	if how := os.Getenv("STACK_TEST_CLAIM"); how != "" {
		claimUntilTheInputEnds(how)
		os.Exit(0)
	}
	if os.Getenv("STACK_TEST_PANIC") != "" {
		panicWithAStack()
	}
	os.Exit(m.Run())
}

func panicWithAStack() {
	s, err := New()
	if err != nil {
		panic(err)
	}
	j, err := s.StartJackd("panic", 256, 48000)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d %s %s\n", j.PID(), s.Dir, j.Server)
	panic("on purpose")
}

func TestAPanickingCallersServersDieAndAreSweptByTheNext(t *testing.T) {
	self := exec.Command(os.Args[0])
	self.Env = append(os.Environ(), "STACK_TEST_PANIC=1")
	out, err := self.Output()
	if err == nil {
		t.Fatal("the caller did not panic")
	}
	var pid int
	var dir, server string
	if _, err := fmt.Sscan(string(out), &pid, &dir, &server); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	for range 40 {
		if hasEnded(pid) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !hasEnded(pid) {
		t.Fatalf("process %d outlived its caller", pid)
	}
	newStack(t)
	files, _ := filepath.Glob("/dev/shm/*" + server + "*")
	if _, err := os.Stat(dir); !os.IsNotExist(err) || len(files) != 0 {
		t.Errorf("still there: %s (%v), %v", dir, err, files)
	}
	if _, taken := registeredServers()[server]; taken {
		t.Errorf("%s keeps its place", server)
	}
}

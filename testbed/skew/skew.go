// Package skew makes the clock of a pretended machine run fast or slow, for the
// processes that are started with its environment. All audio servers without a
// sound card otherwise keep the same time, which no two sound cards do.
package skew

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

//go:embed preload/skew.c
var source []byte

// Build compiles the library that is preloaded into dir and returns its path.
func Build(dir string) (library string, err error) {
	text := filepath.Join(dir, "skew.c")
	if err := os.WriteFile(text, source, 0o600); err != nil {
		return "", err
	}
	library = filepath.Join(dir, "skew.so")
	out, err := exec.Command("cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", library, text).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building skew.so: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return library, nil
}

// Clock is the clock of one pretended machine. From the moment of New on it runs
// away from the true one. Go programs keep the true time: they do not ask libc.
type Clock struct {
	library string
	ppm     float64
	epochNs int64
}

// New returns a clock that runs ppm fast from now on; library is from Build.
func New(library string, ppm float64) Clock {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // cannot fail (clock_gettime(2))
	return Clock{library, ppm, now.Nano()}
}

// Env is the environment ("KEY=value") of every program of that machine.
func (c Clock) Env() []string {
	return []string{
		"LD_PRELOAD=" + c.library,
		fmt.Sprintf("SKEW_PPM=%g", c.ppm),
		fmt.Sprintf("SKEW_EPOCH_NS=%d", c.epochNs),
	}
}

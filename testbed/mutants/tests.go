package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"time"
)

// deadline is how long the tests of one mutant may run: one that hangs is caught by it.
const deadline = 2 * time.Minute

// verdict is what tests said of a tree.
type verdict struct {
	passed bool
	by     string // the first test that failed
	output string
}

var (
	failedTest  = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	startedTest = regexp.MustCompile(`(?m)^=== RUN +(\S+)`)
)

// errNoVerdict: the tests did not build, or none ran.
var errNoVerdict = errors.New("no test ran")

// runTests runs one package's tests in the tree at root. Tests build before they
// count: what does not compile was never at risk.
func runTests(ctx context.Context, root, in, tests string, limit time.Duration) (verdict, error) {
	command := exec.CommandContext(ctx, "go", "test", "-v", "-failfast", "-count=1", "-vet=off",
		"-timeout", limit.String(), "-run", "^("+tests+")$", "./"+in)
	command.Dir = root
	output, err := command.CombinedOutput()
	v := verdict{passed: err == nil, output: string(output)}
	started := startedTest.FindAllSubmatch(output, -1)
	if len(started) == 0 {
		return v, fmt.Errorf("%w in %s:\n%s", errNoVerdict, in, tail(output))
	}
	if v.passed {
		return v, nil
	}
	switch failed := failedTest.FindSubmatch(output); {
	case bytes.Contains(output, []byte("panic: test timed out")):
		v.by = string(started[len(started)-1][1]) + " (never ends)"
	case failed != nil:
		v.by = string(failed[1])
	default:
		v.by = string(started[len(started)-1][1]) + " (the program dies)"
	}
	return v, nil
}

// tail is the end of an output, as far as it says why.
func tail(output []byte) []byte {
	const most = 4000
	return output[max(0, len(output)-most):]
}

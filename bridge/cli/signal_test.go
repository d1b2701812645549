package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/session"
)

// childVariable makes this test binary behave as the program. Its value says
// what the end does when it is told to stop.
const childVariable = "ARCHIBALD_TEST_CHILD"

func TestMain(m *testing.M) {
	if manner := os.Getenv(childVariable); manner != "" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr, Runners{Guest: child(manner)}))
	}
	os.Exit(m.Run())
}

func child(manner string) func(context.Context, config.Config, *slog.Logger) error {
	return func(ctx context.Context, _ config.Config, _ *slog.Logger) error {
		fmt.Println("ready")
		if manner == "starts anew" {
			return fmt.Errorf("libjack is stuck: %w", session.ErrStartAnew)
		}
		<-ctx.Done()
		fmt.Println("stopping")
		switch manner {
		case "hangs":
			time.Sleep(time.Minute)
		case "fails":
			return errors.New("could not close")
		case "cancelled":
			return fmt.Errorf("dial: %w", ctx.Err())
		}
		return nil
	}
}

// startChild runs the program as a process until it says that it is ready.
func startChild(t *testing.T, manner string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.Command(os.Args[0], "guest")
	c.Env = append(os.Environ(), childVariable+"="+manner)
	c.Stderr = io.Discard
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	lines := bufio.NewScanner(stdout)
	waitFor(t, lines, "ready")
	return c, lines
}

func waitFor(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	if !lines.Scan() || lines.Text() != want {
		t.Fatalf("the program says %q, want %q", lines.Text(), want)
	}
}

func signalTo(t *testing.T, c *exec.Cmd, signal os.Signal) {
	t.Helper()
	if err := c.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

func TestASignalEndsTheProgramInGoodOrder(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for manner, code := range map[string]int{"good": 0, "cancelled": 0, "fails": 1} {
			c, lines := startChild(t, manner)
			signalTo(t, c, signal)
			waitFor(t, lines, "stopping")
			_ = c.Wait()
			if got := c.ProcessState.ExitCode(); got != code {
				t.Errorf("%v, an end that %s: exit code %d, want %d", signal, manner, got, code)
			}
		}
	}
}

func TestASecondSignalEndsTheProgramAtOnce(t *testing.T) {
	c, lines := startChild(t, "hangs")
	signalTo(t, c, syscall.SIGINT)
	waitFor(t, lines, "stopping")
	// The default action is restored just after the end is told to stop, so
	// the first of these may still be swallowed.
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	for {
		select {
		case <-ended:
			if state, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || !state.Signaled() || state.Signal() != syscall.SIGINT {
				t.Errorf("ended by %v, want the signal", c.ProcessState)
			}
			return
		case <-time.After(20 * time.Millisecond):
			_ = c.Process.Signal(syscall.SIGINT)
		}
	}
}

func TestAnEndThatNeedsANewProcessIsReplaced(t *testing.T) {
	c, lines := startChild(t, "starts anew")
	waitFor(t, lines, "ready") // again
	if err := c.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("it is not the same process id: %v", err)
	}
}

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/config"
)

// childVariable makes this test binary behave as the program. Its value says
// what the end does when it is told to stop.
const childVariable = "ARCHIBALD_TEST_CHILD"

func TestMain(m *testing.M) {
	if manner := os.Getenv(childVariable); manner != "" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr, Runners{Guest: child(manner)}))
	}
	// Under nohup these tests ignore it, and a child inherits that, but no handler.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	os.Exit(m.Run())
}

func child(manner string) func(context.Context, config.Config, *slog.Logger) error {
	return func(ctx context.Context, _ config.Config, log *slog.Logger) error {
		fmt.Println("ready")
		if manner == "starts again" {
			return fmt.Errorf("libjack is stuck: %w", audio.ErrStartAnew)
		}
		if manner == "talks" {
			talk(log)
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
	return startCommand(t, manner, exec.Command(os.Args[0], "guest"))
}

func startCommand(t *testing.T, manner string, c *exec.Cmd) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c.Env = append(os.Environ(), childVariable+"="+manner)
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
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
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

// nohup(1), and shells for what they leave in the background.
func TestAProgramStartedToOutliveItsTerminalDoes(t *testing.T) {
	c, lines := startCommand(t, "good", exec.Command("sh", "-c", `trap "" HUP; exec "$0" guest`, os.Args[0]))
	for range 3 {
		signalTo(t, c, syscall.SIGHUP)
		time.Sleep(50 * time.Millisecond)
	}
	if err := c.Process.Signal(syscall.Signal(0)); err != nil {
		t.Fatalf("it is gone: %v", err)
	}
	signalTo(t, c, syscall.SIGTERM)
	waitFor(t, lines, "stopping")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

func TestAnEndThatNeedsANewProcessIsReplaced(t *testing.T) {
	c, lines := startChild(t, "starts again")
	waitFor(t, lines, "ready") // again
	if err := c.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("it is not the same process id: %v", err)
	}
}

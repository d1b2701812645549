package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/roundtrip"
)

// The exit codes of the program.
const (
	exitFine         = 0
	exitFailed       = 1
	exitUsage        = 2 // wrong usage or configuration
	exitNeverReached = 3 // an audio server or the peer was never reached
)

// Runners are what needs an audio server. An end works until its context is
// done, which is no error. It returns a *fault.WrongValue for a value that turned
// out to be wrong (exit code 2), an error that wraps fault.ErrNeverReached
// (exit code 3), or any other error (exit code 1).
type Runners struct {
	Guest func(context.Context, config.Config, *slog.Logger) error
	Host  func(context.Context, config.Config, *slog.Logger) error
	// Devices lists the devices that the host can play on itself.
	Devices func(io.Writer) error
	// Bench measures a round trip. Its errors are as an end's; a report can come
	// with one.
	Bench func(context.Context, roundtrip.Options) (*roundtrip.Report, error)
}

// Main runs the program with its arguments, without the program's name, and
// returns the exit code. SIGHUP, SIGINT, SIGQUIT and SIGTERM end a running end in good
// order; a second one has its usual effect at once.
func Main(args []string, stdout, stderr io.Writer, runners Runners) int {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	context.AfterFunc(ctx, stop) // the next signal has its default action

	err := run(ctx, args, stdout, stderr, runners)
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitFine
	}
	say(stderr, fmt.Sprintf("%s: %s\n", programName, oneLine(err)))
	return exitCode(err)
}

// endings are the signals that end the program. One that was started to outlive its
// terminal (nohup) does.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// usageError is a command line or a file that cannot be used.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var usage usageError
	var value *fault.WrongValue
	switch {
	case errors.As(err, &usage), errors.As(err, &value):
		return exitUsage
	case errors.Is(err, fault.ErrNeverReached):
		return exitNeverReached
	}
	return exitFailed
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, runners Runners) error {
	var commands grammar
	helped := false
	parser, err := newParser(&commands, stdout, stderr, func(int) { helped = true })
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if helped {
		return nil // --help was printed
	}
	if err != nil {
		return usageError{parseError(err)}
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(&environment{stdout: stdout, stderr: stderr, runners: runners, set: setFlags(parsed)})
}

// parseError is the error about a flag's value where there is one, without what
// the parser puts before it; otherwise it points to the help.
func parseError(err error) error {
	var value *fault.WrongValue
	if errors.As(err, &value) {
		return value
	}
	return fmt.Errorf("%w; see --help", err)
}

// setFlags names the flags that stand on the command line.
func setFlags(parsed *kong.Context) []string {
	var names []string
	for _, element := range parsed.Path {
		if element.Flag != nil {
			names = append(names, element.Flag.Name)
		}
	}
	return names
}

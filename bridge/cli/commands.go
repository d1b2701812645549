package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/patchbay"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// environment is what a command needs in addition to its flags.
type environment struct {
	stdout, stderr io.Writer
	runners        Runners
	set            []string // names of the flags that were given
}

// Run runs the guest end.
func (c *guestCommand) Run(ctx context.Context, env *environment) error {
	return env.runEnd(ctx, proto.Guest, c.ConfigFile, c.Config, env.runners.Guest)
}

// Run runs the host end.
func (c *hostCommand) Run(ctx context.Context, env *environment) error {
	return env.runEnd(ctx, proto.Host, c.ConfigFile, c.Config, env.runners.Host)
}

func (env *environment) runEnd(ctx context.Context, role proto.Role, file string, flags config.Config,
	runner func(context.Context, config.Config, *slog.Logger) error) error {
	var keys []string
	for _, name := range env.set {
		if name != "config" {
			keys = append(keys, name)
		}
	}
	c, err := config.Source{File: file, Flags: flags, Set: keys, ConnectRule: connectRule}.Load(role)
	if err != nil {
		return usageError{err}
	}
	// A log that nobody reads any more is no reason to be without sound.
	signal.Ignore(syscall.SIGPIPE)
	log, closeLog := newLogger(env.stderr, c)
	defer closeLog()
	err = runner(ctx, c, log)
	if errors.Is(err, audio.ErrStartAnew) {
		log.Warn("starting again", "reason", err)
		closeLog()
		return startAnew()
	}
	return err
}

// startAnew replaces this process by the same program with the same arguments. It
// returns only when that fails.
func startAnew() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return fmt.Errorf("starting again: %w", syscall.Exec(program, os.Args, os.Environ()))
}

// newLogger returns the log of a running end, and what ends it.
func newLogger(w io.Writer, c config.Config) (log *slog.Logger, end func()) {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if c.LogLevel == config.LogDebug {
		options.Level = slog.LevelDebug
	}
	logTo := func(w io.Writer) *slog.Logger {
		if c.LogFormat == config.LogJSON {
			return slog.New(slog.NewJSONHandler(w, options))
		}
		return slog.New(slog.NewTextHandler(w, options))
	}
	writer := newLogWriter(w, func(w io.Writer, lost uint64) {
		logTo(w).Warn("lines of this log are lost: it could not be written for a while", "lines", lost)
	})
	return logTo(writer), sync.OnceFunc(writer.close)
}

// Run prints the status of every end that answers.
func (c *statusCommand) Run(ctx context.Context, env *environment) error {
	addresses := []string{c.Address}
	if c.Address == "" {
		addresses = nil
		for _, role := range config.Roles {
			addresses = append(addresses, config.Default(role).StatusListen.String())
		}
	} else if err := checkAddress(c.Address); err != nil {
		return err
	}
	var failures []error
	for _, address := range addresses {
		s, err := status.Fetch(ctx, address)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if err := c.write(env.stdout, s); err != nil {
			return err
		}
	}
	if len(failures) < len(addresses) {
		return nil
	}
	return fmt.Errorf("no bridge answers at %s: %w", strings.Join(addresses, " or "), cause(failures[0]))
}

func (c *statusCommand) write(w io.Writer, s status.Status) error {
	if !c.JSON {
		return status.WriteText(w, s)
	}
	line, err := status.Encode(s)
	if err != nil {
		return err
	}
	_, err = w.Write(line)
	return err
}

// checkAddress refuses what is no HOST:PORT for --address.
func checkAddress(address string) error {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return &fault.WrongValue{Where: "--address", Value: address, Legal: "HOST:PORT"}
	}
	return nil
}

// cause is the innermost error of a failed request: "connection refused"
// without the address, which the message has already.
func cause(err error) error {
	var operation *net.OpError
	if errors.As(err, &operation) {
		err = operation.Err
		for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
			err = inner
		}
	}
	return err
}

// Run checks the file.
func (c *configCheckCommand) Run(env *environment) error {
	if err := config.Check(c.File, connectRule); err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path // without "--config", which was not given
		}
		return usageError{err}
	}
	_, err := fmt.Fprintf(env.stdout, "%s: no mistakes found\n", c.File)
	return err
}

// Run prints the devices.
func (devicesCommand) Run(env *environment) error { return env.runners.Devices(env.stdout) }

// Run prints a new secret. A file that it goes to is from then on for its owner only: the
// shell has made it for everybody to read.
func (keygenCommand) Run(env *environment) error {
	if file, ok := env.stdout.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			if err := file.Chmod(0o600); err != nil {
				return fmt.Errorf("keygen: the file cannot be kept from others: %w", err)
			}
		}
	}
	_, err := io.WriteString(env.stdout, config.NewSecret())
	return err
}

// Run prints the version of the program and what it was built with.
func (versionCommand) Run(env *environment) error {
	_, err := fmt.Fprintf(env.stdout, "%s %s (%s, %s/%s)\n", programName, status.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// connectRule says why a connection rule is wrong.
func connectRule(rule string) error {
	_, err := patchbay.ParseRule(rule)
	var wrong *patchbay.RuleError
	if errors.As(err, &wrong) {
		return errors.New(wrong.Reason) // what is legal, the key says
	}
	return err
}

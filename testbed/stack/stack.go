package stack

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Stack is a set of servers in their own surroundings. Close it.
type Stack struct {
	Dir string // everything the servers write, mode 0700; gone after Close
	// Environment ("KEY=value") is what every program of this Stack has, in addition to
	// what keeps it apart from other Stacks.
	Environment []string
	// Programs is a directory in which programs are looked for first; "": none.
	Programs string

	network   *Process // holds the network; nil: the caller's (see Isolate)
	prefix    []string // the command that starts every program
	mu        sync.Mutex
	processes []*Process // in the order they were started
	held      []io.Closer
	closed    bool
}

// New makes a Stack with an empty directory below the system's temporary one, and waits
// until no other process has one: sound that is judged needs the machine for itself. It
// first removes what callers left that died without Close.
func New() (*Stack, error) { return open(true) }

// NewShared is New for those who only wait for what servers say: two processes can do that
// at once.
func NewShared() (*Stack, error) { return open(false) }

func open(alone bool) (s *Stack, err error) {
	if err := claim(alone); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			disclaim()
		}
	}()
	sweepDebris()
	// Not below a test's own directory: a Unix socket's path has at most 107
	// bytes (unix(7)), and test names are long.
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", directoryPrefix, os.Getpid()))
	if err != nil {
		return nil, err
	}
	s = &Stack{Dir: dir}
	for _, sub := range []string{s.runtimeDir(), s.path("config"), s.path("state"), s.path("log")} {
		if err := os.Mkdir(sub, 0o700); err != nil {
			return nil, fmt.Errorf("stack directory: %w", err)
		}
	}
	return s, nil
}

// Close stops everything, the last started first, and removes every file.
// It may be called twice.
func (s *Stack) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.processes) - 1; i >= 0; i-- {
		s.processes[i].Stop()
	}
	for _, closer := range s.held {
		closer.Close()
	}
	s.processes, s.held = nil, nil
	if !s.closed {
		s.closed = true
		disclaim()
	}
	return os.RemoveAll(s.Dir)
}

// Env returns the environment of programs in this Stack: the caller's, less
// everything that leads to the user's own display, bus, JACK or PipeWire.
// extra entries ("KEY=value") are added.
func (s *Stack) Env(extra ...string) []string {
	var env []string
	for _, entry := range os.Environ() {
		if !leadsOutside(entry) {
			env = append(env, entry)
		}
	}
	env = append(env,
		"HOME="+s.Dir,
		"XDG_RUNTIME_DIR="+s.runtimeDir(),
		"XDG_CONFIG_HOME="+s.path("config"),
		"XDG_STATE_HOME="+s.path("state"),
		"XDG_CACHE_HOME="+s.path("state"),
		"XDG_DATA_HOME="+s.path("state"),
		"PIPEWIRE_RUNTIME_DIR="+s.runtimeDir(),
		"DBUS_SESSION_BUS_ADDRESS="+s.busAddress(),
		"JACK_NO_START_SERVER=1",
		"JACK_NO_AUDIO_RESERVATION=1",
		"QT_QPA_PLATFORM=offscreen", // scsynth's GUI plugins
	)
	return append(append(env, s.Environment...), extra...)
}

func leadsOutside(entry string) bool {
	for _, prefix := range []string{"DISPLAY=", "WAYLAND_", "XDG_", "DBUS_", "JACK_", "PIPEWIRE_", "PULSE_", "SC_", "HOME="} {
		if strings.HasPrefix(entry, prefix) {
			return true
		}
	}
	return false
}

// Command prepares a short-lived program in this Stack's surroundings; the
// caller runs it. For one that keeps running use Start.
func (s *Stack) Command(program string, args ...string) (*exec.Cmd, error) {
	path, err := s.find(program)
	if err != nil {
		return nil, err
	}
	argv := append(append(slices.Clone(s.prefix), path), args...)
	command := exec.Command(argv[0], argv[1:]...)
	command.Env = s.Env()
	return command, nil
}

// output runs a program and returns what it prints.
func (s *Stack) output(program string, args ...string) (string, error) {
	command, err := s.Command(program, args...)
	if err != nil {
		return "", err
	}
	text, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(string(text)))
	}
	return string(text), err
}

// Start starts any program, such as the bridge, and does not wait for more
// than its start. env entries ("KEY=value") are added to Env.
func (s *Stack) Start(name string, env []string, program string, args ...string) (*Process, error) {
	return s.add(&Process{Name: name, env: s.Env(env...)}, program, args...)
}

// add starts p and remembers it.
func (s *Stack) add(p *Process, program string, args ...string) (*Process, error) {
	path, err := s.find(program)
	if err != nil {
		return nil, err
	}
	if p.env == nil {
		p.env = s.Env()
	}
	if p.ready == nil {
		p.ready = func(*Process) error { return nil }
	}
	p.argv = append(append(slices.Clone(s.prefix), path), args...)
	p.Command = strings.Join(append([]string{filepath.Base(program)}, args...), " ")
	p.Log = filepath.Join(s.Dir, "log", p.Name+".log")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.processes {
		if other.Name == p.Name {
			return nil, fmt.Errorf("stack has a process %q already", p.Name)
		}
	}
	if err := p.start(); err != nil {
		if p.sweep != nil {
			p.sweep(p)
		}
		return nil, err
	}
	s.processes = append(s.processes, p)
	return p, nil
}

func (s *Stack) path(name string) string { return filepath.Join(s.Dir, name) }
func (s *Stack) runtimeDir() string      { return s.path("run") }
func (s *Stack) busAddress() string      { return "unix:path=" + filepath.Join(s.runtimeDir(), "bus") }

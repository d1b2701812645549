package stack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyTimeout is how long a server may take until it is usable. These
// machines are small and shared.
const readyTimeout = 20 * time.Second

// stopTimeout is how long a server may take to end after SIGTERM.
const stopTimeout = 5 * time.Second

// Process is one started program. It is safe for concurrent use.
type Process struct {
	Name string // unique within the Stack
	Log  string // path of the file with its output; Restart appends
	// Command is the program's name and its arguments, as in a shell.
	Command string

	argv    []string
	env     []string
	session bool // it has a session of its own
	// prepare makes what it needs, before each start; may be nil. What it returns is called
	// once the program is usable or has failed; may be nil, too.
	prepare func() (started func(), err error)
	ready   func(*Process) error // waits until the program is usable
	sweep   func(*Process)       // removes what it left, after its end; may be nil

	mu      sync.Mutex
	command *exec.Cmd
	ended   chan struct{} // closed when the program has ended
}

// PID returns the process id of the running program, or of the last one.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.command.Process.Pid
}

// Alive says whether the program is running.
func (p *Process) Alive() bool {
	select {
	case <-p.done():
		return false
	default:
		return true
	}
}

// Wait waits until the program has ended by itself. It returns the exit code,
// -1 for a signal, and an error when that takes longer than timeout.
func (p *Process) Wait(timeout time.Duration) (exitCode int, err error) {
	select {
	case <-p.done():
	case <-time.After(timeout):
	}
	if p.Alive() {
		return 0, fmt.Errorf("%s still runs after %v", p.Name, timeout)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.command.ProcessState.ExitCode(), nil
}

// Signal sends a signal to the program; none is sent to one that has ended.
func (p *Process) Signal(signal syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.command.Process.Signal(signal)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Kill9 ends the program by SIGKILL and waits for its end. What it leaves in
// the system stays, as after a real crash, until Restart or Stack.Close.
func (p *Process) Kill9() {
	p.end(syscall.SIGKILL)
}

// Stop ends the program by SIGTERM, or SIGKILL after five seconds, waits for
// its end and removes what it left.
func (p *Process) Stop() {
	p.end(syscall.SIGTERM)
	if p.sweep != nil {
		p.sweep(p)
	}
}

func (p *Process) end(signal syscall.Signal) {
	_ = p.Signal(signal)
	select {
	case <-p.done():
	case <-time.After(stopTimeout):
		_ = p.Signal(syscall.SIGKILL)
		<-p.done()
	}
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // its own children, if any are left
}

// Restart starts the program again with the same arguments, after stopping it
// if it still runs, and waits until it is usable. An ended server's leftovers
// are not removed first: its next start must cope with them.
func (p *Process) Restart() error {
	if p.Alive() {
		p.Stop()
	}
	return p.start()
}

// LogTail returns the last lines of the output, for error messages.
func (p *Process) LogTail() string {
	text, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

func (p *Process) done() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

func (p *Process) start() error {
	if p.prepare != nil {
		started, err := p.prepare()
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		if started != nil {
			defer started()
		}
	}
	if err := p.launch(); err != nil {
		return err
	}
	if err := p.ready(p); err != nil {
		p.end(syscall.SIGKILL)
		return fmt.Errorf("%s: %w; its last output:\n%s", p.Name, err, p.LogTail())
	}
	return nil
}

func (p *Process) launch() error {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(p.argv[0], p.argv[1:]...)
	command.Env = p.env
	command.Dir = filepath.Dir(p.Log)
	command.Stdout, command.Stderr = log, log
	if err := spawn(command, p.session); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	ended := make(chan struct{})
	p.mu.Lock()
	p.command, p.ended = command, ended
	p.mu.Unlock()
	go func() {
		_ = command.Wait() // the exit code is read from ProcessState
		close(ended)
	}()
	return nil
}

// until asks every 250 ms, slowly on purpose: a question to an audio server
// is a client that joins and leaves. It gives up when the program has ended.
func (p *Process) until(what string, ok func() bool) error {
	return p.poll(250*time.Millisecond, what, ok)
}

// untilSeen is until for what can be seen from outside: nobody notices the looking.
func (p *Process) untilSeen(what string, ok func() bool) error {
	return p.poll(20*time.Millisecond, what, ok)
}

func (p *Process) poll(every time.Duration, what string, ok func() bool) error {
	deadline := time.Now().Add(readyTimeout)
	for !ok() {
		if !p.Alive() {
			return fmt.Errorf("ended before %s", what)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no %s after %v", what, readyTimeout)
		}
		time.Sleep(every)
	}
	return nil
}

// Package field only tests: what networks do to an end. Two pretended machines on a cable
// that can be cut: groups, announcements, addresses that change, interfaces that come late.
// The tests wait for what the ends say and do not judge gaps: others may run at once.
package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/stack"
)

const (
	ourAddress   = "10.47.12.1"
	theirAddress = "10.47.12.2"
	periodFrames = 256
	rateHz       = 48000
	latency      = 100 * time.Millisecond
	toneDBFS     = -12.0
)

// machines are ours and theirs, each with a JACK server.
type machines struct {
	t             *testing.T
	ours, theirs  *stack.Stack
	jackd, there  *stack.Jackd // on ours, and on theirs
	bridge, probe string       // the programs
	port          int          // of the next status page
	pages         map[*stack.Process]string
}

func newMachines(t *testing.T) *machines {
	t.Helper()
	m := &machines{t: t, port: 32000, pages: map[*stack.Process]string{}}
	t.Cleanup(func() {
		for _, s := range []*stack.Stack{m.ours, m.theirs} {
			if s == nil {
				continue
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	for _, s := range []**stack.Stack{&m.ours, &m.theirs} {
		var err error
		*s, err = stack.NewShared()
		m.must(err)
		m.must((*s).Isolate())
	}
	m.must(stack.Join(m.ours, m.theirs, ourAddress, theirAddress))
	m.bridge = m.path("archibald-bridge")
	m.must(stack.Build(m.bridge, "archibald-bridge"))
	var errProbe, errOurs, errTheirs error
	m.probe, errProbe = probe.Build(m.ours.Dir)
	m.must(errors.Join(errProbe, m.ours.Quiet()))
	m.jackd, errOurs = m.ours.StartJackd("field-ours", periodFrames, rateHz)
	m.there, errTheirs = m.theirs.StartJackd("field-theirs", periodFrames, rateHz)
	m.must(errors.Join(errOurs, errTheirs))
	return m
}

func (m *machines) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// path is a file of our machine.
func (m *machines) path(name string) string { return filepath.Join(m.ours.Dir, name) }

// start starts an end of ours on a machine, with a status page of its own.
func (m *machines) start(s *stack.Stack, name, role string, args ...string) *stack.Process {
	m.t.Helper()
	m.port++
	page := fmt.Sprintf("127.0.0.1:%d", m.port)
	jackd := m.jackd
	if s == m.theirs {
		jackd = m.there
	}
	args = append([]string{role, "--jack-server", jackd.Server, "--status-listen", page, "--latency", latency.String()}, args...)
	p, err := s.Start(name, nil, m.bridge, args...)
	m.must(err)
	m.pages[p] = page
	return p
}

// sends starts an end on their machine that sends to a group.
func (m *machines) sends(name, to string, args ...string) *stack.Process {
	m.t.Helper()
	args = append([]string{"--static", "--peer", to, "--format", "L24", "--listen", fmt.Sprintf("0.0.0.0:%d", 9000+m.port)}, args...)
	return m.start(m.theirs, name, "guest", args...)
}

// state is what an end's status page says; the zero Status: nothing.
func (m *machines) state(s *stack.Stack, p *stack.Process) (now status.Status) {
	m.t.Helper()
	command, err := s.Command(m.bridge, "status", "--json", "--address", m.pages[p])
	m.must(err)
	if text, err := command.Output(); err == nil {
		m.must(json.Unmarshal(text, &now))
	}
	return now
}

func (m *machines) sounds(p *stack.Process) func() bool {
	return func() bool { return m.state(m.ours, p).Directions.Receive.State == status.DirectionRunning }
}

// until waits for something that takes a moment; ends are those whose logs say why it did
// not come.
func (m *machines) until(what string, ends map[string]*stack.Process, ok func() bool) {
	m.t.Helper()
	for range 200 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	m.t.Errorf("no %s after 10 s", what)
	for name, p := range ends {
		m.t.Errorf("%s:\n%s", name, p.LogTail())
	}
	m.t.FailNow()
}

// exists says that a file is there and not empty.
func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

// said is how often a line with the text is in the log of an end.
func (m *machines) said(p *stack.Process, text string) int {
	m.t.Helper()
	log, err := os.ReadFile(p.Log)
	m.must(err)
	return strings.Count(string(log), text)
}

// command runs a program on a machine and returns what it printed.
func (m *machines) command(s *stack.Stack, name string, args ...string) string {
	m.t.Helper()
	command, err := s.Command(name, args...)
	m.must(err)
	text, err := command.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s %s: %v: %s", name, args, err, text)
	}
	return string(text)
}

func (m *machines) ip(s *stack.Stack, args string) string {
	m.t.Helper()
	return m.command(s, "ip", strings.Fields(args)...)
}

// cut takes the cable away with the interfaces at both ends.
func (m *machines) cut() { m.ip(m.ours, "link del "+stack.Wire) }

// join lays it again: interfaces of the same names, with other indices.
func (m *machines) join() {
	m.t.Helper()
	m.must(stack.Join(m.ours, m.theirs, ourAddress, theirAddress))
}

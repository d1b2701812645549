package rights

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/stack"
)

// lab is an audio server and a static end that uses it. A static end needs no peer to
// stream.
type lab struct {
	*stack.Stack
	t              *testing.T
	binary, server string
	jackd, end     *stack.Process
	statusAddress  string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	s, err := stack.NewShared()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l := &lab{Stack: s, t: t, binary: filepath.Join(s.Dir, "archibald-bridge"), server: stack.JackServerName("rights")}
	if err := stack.Build(l.binary, "archibald-bridge"); err != nil {
		t.Fatal(err)
	}
	return l
}

// startJackd starts a jackd that runs in real time (-R) or not (-r).
func (l *lab) startJackd(realtime string) {
	l.t.Helper()
	var err error
	l.jackd, err = l.Start("jackd", nil, "jackd", realtime, "-P70", "-n", l.server, "-d", "dummy", "-r", "48000", "-p", "256")
	if err != nil {
		l.t.Fatal(err)
	}
}

// startGuest starts the guest end; see start.
func (l *lab) startGuest(prefix, env []string, flags ...string) {
	l.t.Helper()
	l.start("guest", prefix, env, append(flags, "--jack-server", l.server)...)
}

// start starts an end by a command that ends with that of the bridge, such as
// setpriv; prefix may be empty.
func (l *lab) start(end string, prefix, env []string, flags ...string) {
	l.t.Helper()
	l.statusAddress = freeAddress(l.t)
	args := append(slices.Clone(prefix), l.binary, end, "--static", "--format", "F32",
		"--peer", "127.0.0.1:9", "--listen", freeAddress(l.t), "--status-listen", l.statusAddress)
	args = append(args, flags...)
	var err error
	if l.end, err = l.Start(end, env, args[0], args[1:]...); err != nil {
		l.t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func (l *lab) status() status.Status {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s, _ := status.Fetch(ctx, l.statusAddress)
	return s
}

func (l *lab) log() string {
	text, err := os.ReadFile(l.end.Log)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// eventually waits until the status is as wanted, and returns it.
func (l *lab) eventually(what string, wanted func(status.Status) bool) status.Status {
	l.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if s := l.status(); wanted(s) {
			return s
		}
	}
	l.t.Fatalf("%s: not within 15 s; status %+v, log\n%s", what, l.status(), l.log())
	return status.Status{}
}

// task is one of the end's threads, as the kernel sees it.
type task struct {
	id           int
	policy       uint32
	priority     uint32
	resetsOnFork bool
	cpus         int // how many it may run on
	on           func(cpu int) bool
}

// realtimeThreads are the end's threads that are real-time, whoever made
// them so. JACK's notification threads never are.
func (l *lab) realtimeThreads() []task {
	l.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", l.end.PID()))
	if err != nil {
		l.t.Fatal(err)
	}
	var found []task
	for _, entry := range entries {
		id, _ := strconv.Atoi(entry.Name())
		attributes, err := unix.SchedGetAttr(id, 0)
		if err != nil || attributes.Policy == unix.SCHED_NORMAL {
			continue
		}
		var set unix.CPUSet
		if err := unix.SchedGetaffinity(id, &set); err != nil {
			l.t.Fatal(err)
		}
		found = append(found, task{id, attributes.Policy, attributes.Priority, attributes.Flags&unix.SCHED_FLAG_RESET_ON_FORK != 0, set.Count(), set.IsSet})
	}
	return found
}

// holdsAwake says whether the end has /dev/cpu_dma_latency open.
func (l *lab) holdsAwake() bool {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", l.end.PID()))
	return slices.ContainsFunc(links, func(link string) bool {
		target, _ := os.Readlink(link)
		return strings.HasPrefix(target, "/dev/cpu_dma_latency")
	})
}

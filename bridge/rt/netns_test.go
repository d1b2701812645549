package rt_test

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// machine is a network of its own (network_namespaces(7)), that of one thread. It
// ends with the test. Sockets stay in the network in which they were opened.
type machine struct {
	tid  int
	work chan func()
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{work: make(chan func())}
	t.Cleanup(func() { close(m.work) })
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		m.tid = unix.Gettid()
		failed <- unix.Unshare(unix.CLONE_NEWNET)
		for work := range m.work {
			work()
		}
	}()
	if err := <-failed; err != nil {
		t.Fatalf("a network of its own, which needs root: %v", err)
	}
	m.ip(t, "link set lo up")
	return m
}

// in runs something in the machine's network.
func (m *machine) in(t *testing.T, work func()) {
	t.Helper()
	done := make(chan struct{})
	m.work <- func() {
		defer close(done)
		work()
	}
	<-done
	if t.Failed() {
		t.FailNow()
	}
}

func (m *machine) ip(t *testing.T, command string) {
	t.Helper()
	m.in(t, func() {
		if out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			t.Errorf("ip %s: %v: %s", command, err, out)
		}
	})
}

// join lays a cable (veth(4)) between interfaces of that name at both machines. Nobody
// has to be asked who has an address: the first datagram arrives at once.
func join(t *testing.T, a, b *machine, cable string, addressesA, addressesB []string) {
	t.Helper()
	const hardwareA, hardwareB = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
	a.ip(t, fmt.Sprintf("link add %s address %s type veth peer name %s address %s netns %d", cable, hardwareA, cable, hardwareB, b.tid))
	type side struct {
		*machine
		own, others []string
		hardware    string // of the other
	}
	for _, x := range []side{{a, addressesA, addressesB, hardwareB}, {b, addressesB, addressesA, hardwareA}} {
		x.ip(t, "link set "+cable+" up")
		for _, address := range x.own {
			nodad := ""
			if strings.Contains(address, ":") {
				nodad = " nodad"
			}
			x.ip(t, "addr add "+address+" dev "+cable+nodad)
		}
		for _, address := range x.others {
			host, _, _ := strings.Cut(address, "/")
			x.ip(t, "neigh replace "+host+" lladdr "+x.hardware+" dev "+cable)
		}
	}
	await(t, a, cable, addressesA)
	await(t, b, cable, addressesB)
}

// await waits until the machine sends and receives on its side of a cable: the kernel
// notes later that the other side is up, and what comes before is lost.
func await(t *testing.T, m *machine, cable string, addresses []string) {
	t.Helper()
	ready := func() bool {
		link, err := exec.Command("ip", "-o", "link", "show", cable).Output()
		if err != nil || !strings.Contains(string(link), "state UP") || strings.Contains(string(link), "qdisc noop") {
			return false
		}
		for _, address := range addresses {
			family, host := "-4", strings.Split(address, "/")[0]
			if strings.Contains(host, ":") {
				family = "-6"
			}
			local, err := exec.Command("ip", family, "route", "show", "table", "local", "dev", cable, "type", "local").Output()
			if err != nil || !strings.Contains(string(local)+" ", host+" ") {
				return false
			}
		}
		return true
	}
	m.in(t, func() {
		for deadline := time.Now().Add(10 * time.Second); !ready(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("cable %s is not up", cable)
				return
			}
		}
	})
}

// open opens an engine in the machine's network.
func (m *machine) open(t *testing.T, address string) *end {
	t.Helper()
	var n *end
	m.in(t, func() { n = open(t, address) })
	return n
}

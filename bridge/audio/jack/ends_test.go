package jack

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

// A host of several guests has two clients for each. When the first of its ends opens its
// clients again, libjack deletes those of the others, which have not closed theirs.
func TestSeveralEndsOfAProcessOutliveTheirServer(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	names := []string{"a", "b", "c"}
	servers, cores := make([]*Server, len(names)), make([]*jacktest.Core, len(names))
	configOf := func(i int) audio.Config {
		return audio.Config{Name: names[i], SendChannels: 2, ReceiveChannels: 2}
	}
	for i := range names {
		servers[i], cores[i] = newServer(t, jackd.Name, nil)
		open(t, servers[i], configOf(i))
	}
	for range 5 {
		for _, core := range cores {
			runCycles(t, core, 10)
		}
		jackd.Kill()
		for _, server := range servers {
			expectEvent(t, server, audio.Lost, 2*time.Second)
		}
		jackd.Restart(256)
		for i, server := range servers {
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			open(t, server, configOf(i))
		}
	}
	// One that leaves and comes back disturbs no other.
	for range 5 {
		if err := servers[1].Close(); err != nil {
			t.Fatal(err)
		}
		runCycles(t, cores[0], 10)
		open(t, servers[1], configOf(1))
		for _, core := range cores {
			runCycles(t, core, 10)
		}
	}
}

// One end of the process loses its connection, and libjack, which takes that for the
// server's death, deletes the clients of all others when it comes back: each of them is
// told, or it would be mute forever.
func TestOtherEndsOfTheProcessAreToldThatLibjackDeletedTheirClients(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	other, core := newServer(t, jackd.Name, nil)
	open(t, other, stereo)
	runCycles(t, core, 3)
	before := sockets(t)

	first, _ := newServer(t, jackd.Name, nil)
	lab := stereo
	lab.Name = "lab"
	open(t, first, lab)
	for socket := range sockets(t) {
		if !before[socket] {
			_ = unix.Shutdown(socket, unix.SHUT_RDWR)
		}
	}
	expectEvent(t, first, audio.Lost, 2*time.Second)
	select {
	case event := <-other.Events():
		t.Fatalf("event %d of an end that lost nothing yet", event)
	default:
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	opened := make(chan bool)
	go func() { // as the session of the first end does
		defer close(opened)
		open(t, first, lab)
	}()
	expectEvent(t, other, audio.Lost, 5*time.Second)
	<-opened
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, other, stereo)
	runCycles(t, core, 3)
}

// The last of many ends that close at once waits for all: clients that it left open would
// go on calling a core that is gone.
func TestWhoWaitsBehindOthersThatLibjackAnswersIsNotRefused(t *testing.T) {
	last, _ := newServer(t, "archibald-nowhere", nil)
	const others = 2
	started := make(chan struct{}, others)
	for range others {
		other, _ := newServer(t, "archibald-nowhere", nil)
		go func() {
			_ = other.call(func() {
				started <- struct{}{}
				time.Sleep(patience * 2 / 3)
			})
		}()
	}
	<-started
	time.Sleep(50 * time.Millisecond) // the second waits, too
	if err := last.Close(); err != nil {
		t.Error(err)
	}
	if len(started) != others-1 {
		t.Error("not the last")
	}
}

// sockets are this process's.
func sockets(t *testing.T) map[int]bool {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]bool{}
	for _, entry := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + entry.Name())
		if number, err := strconv.Atoi(entry.Name()); err == nil && strings.HasPrefix(target, "socket:") {
			found[number] = true
		}
	}
	return found
}

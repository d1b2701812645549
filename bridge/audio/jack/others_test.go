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

// One end of the process loses its connection, and libjack, which takes that for the
// server's death, deletes the clients of all others when it comes back: each of them is
// told, or it would be mute for ever.
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

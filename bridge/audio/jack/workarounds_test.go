package jack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"archibald-bridge/testbed/jacktest"
)

// hold maps a file of that name, as libjack maps the semaphore of a client, and
// removes it. The mapping ends with the test, or when the function is called.
func hold(t *testing.T, name string) (release func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, make([]byte, 12), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	memory, err := unix.Mmap(int(file.Fd()), 0, 12, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { release() })
	if got := staleClient(); got != "" {
		t.Errorf("stale client %q while its file is there", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	return func() {
		if memory != nil {
			_ = unix.Munmap(memory)
			memory = nil
		}
	}
}

func TestAClientThatLeftIsNotKeptBesideOurs(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	server, core := newServer(t, jackd.Name, nil)
	release := hold(t, "jack_sem.0_default_another program")
	for range 10 {
		_, err := server.Open(stereo)
		if err == nil {
			t.Fatal("opened beside a semaphore that nobody will ever signal")
		}
		if strings.Contains(err.Error(), "jack_sem.0_default_another program") {
			break
		}
		t.Logf("Open: %v", err) // jackd2 refuses a client once in a while
	}
	if _, err := OpenProbe(jackd.Name, "probe"); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("probe: %v", err)
	}
	release()
	open(t, server, stereo)
	runCycles(t, core, 10)
}

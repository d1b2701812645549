package jack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

var stereo = audio.Config{SendChannels: 2, ReceiveChannels: 2}

func newServer(t *testing.T, name string, control audio.Control) (*Server, *jacktest.Core) {
	t.Helper()
	core := jacktest.NewCore()
	server := New(core.Callbacks(), audio.Options{Server: name, Peer: "host", Control: control})
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return server, core
}

// open opens as the session does: jackd2 may refuse a client once in a while.
func open(t *testing.T, server *Server, config audio.Config) audio.Graph {
	t.Helper()
	var graph audio.Graph
	waitFor(t, "Open", func() bool {
		var err error
		graph, err = server.Open(config)
		if err != nil {
			t.Logf("Open: %v", err)
		}
		return err == nil
	})
	return graph
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if ok() {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("%s: not within 10 s", what)
}

func expectEvent(t *testing.T, server *Server, want audio.Event, within time.Duration) {
	t.Helper()
	select {
	case got := <-server.Events():
		if got != want {
			t.Fatalf("event %d, want %d", got, want)
		}
	case <-time.After(within):
		t.Fatalf("no event %d within %v", want, within)
	}
}

// runCycles waits until n more cycles have run through both callbacks.
func runCycles(t *testing.T, core *jacktest.Core, n uint64) {
	t.Helper()
	played, _ := core.Played()
	captured, _ := core.Captured()
	waitFor(t, "cycles", func() bool {
		nowPlayed, _ := core.Played()
		nowCaptured, _ := core.Captured()
		return nowPlayed >= played+n && nowCaptured >= captured+n
	})
}

// tasks maps this process's threads to the line of their status file that
// starts with field.
func tasks(t *testing.T, field string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	values := map[string]string{}
	for _, path := range paths {
		status, err := os.ReadFile(path)
		if err != nil {
			continue // has just ended
		}
		for line := range strings.Lines(string(status)) {
			if value, ok := strings.CutPrefix(line, field+":"); ok {
				values[filepath.Base(filepath.Dir(path))] = strings.TrimSpace(value)
			}
		}
	}
	return values
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

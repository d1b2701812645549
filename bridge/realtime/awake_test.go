package realtime

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/config"
)

// device makes a file in the place of /dev/cpu_dma_latency.
func device(t *testing.T, m *Machine, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cpu_dma_latency")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	m.latencyPath = path
	return path
}

// held says how often this process has a file open.
func held(t *testing.T, path string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(links) == 0 {
		t.Fatalf("no open files: %v", err)
	}
	n := 0
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == path {
			n++
		}
	}
	return n
}

func TestProcessorsAreKeptAwakeWhileStreamingAndNotLonger(t *testing.T) {
	m, log := newMachine(t, nil)
	path := device(t, m, 0o600)
	for range 2 {
		m.SetStreaming(true)
		m.SetStreaming(true) // a session that followed another
		if n := held(t, path); n != 1 || !m.Status().CPUAwake {
			t.Errorf("streaming: open %d times, status %+v", n, m.Status())
		}
		m.SetStreaming(false)
		m.SetStreaming(false)
		if n := held(t, path); n != 0 || m.Status().CPUAwake {
			t.Errorf("not streaming: open %d times, status %+v", n, m.Status())
		}
	}
	wrote, err := os.ReadFile(path)
	if err != nil || string(wrote) != "\x00\x00\x00\x00" {
		t.Errorf("wrote %q, want a 32-bit 0; %v", wrote, err)
	}
	if log.String() != "" {
		t.Errorf("complaints without a reason: %s", log)
	}
}

func TestProcessorsThatMaySleepAreLeftAlone(t *testing.T) {
	m, log := newMachine(t, func(c *config.Config) { c.CPUSleep = config.CPUSleepAllow })
	path := device(t, m, 0) // not even tried
	m.SetStreaming(true)
	if n := held(t, path); n != 0 || m.Status().CPUAwake || log.String() != "" {
		t.Errorf("open %d times, status %+v, log %s", n, m.Status(), log)
	}
}

// withoutOverride runs f on a thread that permissions of files bind even when
// the user is root.
func withoutOverride(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread is thrown away
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var sets [2]unix.CapUserData
		err := unix.Capget(&header, &sets[0])
		sets[0].Effective &^= 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
		if err == nil {
			err = unix.Capset(&header, &sets[0])
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestMissingPermissionIsToldOnceWithItsRemedyAndTriedAgain(t *testing.T) {
	m, log := newMachine(t, nil)
	path := device(t, m, 0)
	withoutOverride(t, func() {
		for range 3 {
			m.SetStreaming(true)
			m.SetStreaming(false)
		}
	})
	if m.Status().CPUAwake {
		t.Error("status says awake")
	}
	if n := strings.Count(log.String(), "processors may sleep"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, log)
	}
	for _, part := range []string{"permission denied", "udev rule", "DeviceAllow", "--cpu-sleep allow"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no %q in %s", part, log)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	m.SetStreaming(true)
	if !m.Status().CPUAwake {
		t.Error("permission that was given meanwhile is not used")
	}
	m.SetStreaming(false)
}

func TestMissingDeviceHasAnotherRemedy(t *testing.T) {
	m, log := newMachine(t, nil)
	m.latencyPath = filepath.Join(t.TempDir(), "absent")
	m.SetStreaming(true)
	if m.Status().CPUAwake || !strings.Contains(log.String(), "container") || strings.Contains(log.String(), "udev") {
		t.Errorf("status %+v, log %s", m.Status(), log)
	}
}

func TestDeviceThatRefusesTheValueIsNotKeptOpen(t *testing.T) {
	m, log := newMachine(t, nil)
	m.latencyPath = "/dev/full"
	m.SetStreaming(true)
	if n := held(t, "/dev/full"); n != 0 || m.Status().CPUAwake || !strings.Contains(log.String(), "0 us not accepted") {
		t.Errorf("open %d times, status %+v, log %s", n, m.Status(), log)
	}
}

package realtime

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// TestMain keeps the tests away from the system's own RealtimeKit.
func TestMain(m *testing.M) {
	if err := os.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus"); err != nil {
		panic(err)
	}
	m.Run()
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
`

// systemBus starts a real dbus-daemon that is the system bus for this test.
func systemBus(t *testing.T) *dbus.Conn {
	t.Helper()
	directory := t.TempDir()
	socket, file := filepath.Join(directory, "bus"), filepath.Join(directory, "bus.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, busConfig, socket), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("dbus-daemon", "--config-file="+file, "--nofork")
	daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := daemon.Start(); err != nil {
		t.Fatalf("%v (Debian package dbus-daemon)", err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+socket)
	var bus *dbus.Conn
	eventually(t, "the bus answers", func() (answers bool) {
		var err error
		bus, err = dbus.ConnectSystemBus()
		return err == nil
	})
	t.Cleanup(func() { _ = bus.Close() })
	return bus
}

// fakeKit is a RealtimeKit that writes down what it is asked.
type fakeKit struct {
	mu      sync.Mutex
	asked   []request
	refusal *dbus.Error
}

type request struct {
	thread   uint64
	priority uint32
	limitUs  uint64 // RLIMIT_RTTIME, hard, when it was asked
}

// MakeThreadRealtime is the method of RealtimeKit's interface.
func (k *fakeKit) MakeThreadRealtime(thread uint64, priority uint32) *dbus.Error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, request{thread, priority, rttimeLimit().Max})
	return k.refusal
}

func (k *fakeKit) refuse(why *dbus.Error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refusal = why
}

func (k *fakeKit) requests() []request {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]request(nil), k.asked...)
}

// newFakeKit puts a RealtimeKit on the bus that allows a priority and a time.
func newFakeKit(t *testing.T, most int32, longestUs int64) *fakeKit {
	t.Helper()
	bus, kit := systemBus(t), &fakeKit{}
	if err := bus.Export(kit, kitPath, kitName); err != nil {
		t.Fatal(err)
	}
	_, err := prop.Export(bus, kitPath, prop.Map{kitName: {
		"MaxRealtimePriority": {Value: most},
		"RTTimeUSecMax":       {Value: longestUs},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := bus.RequestName(kitName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("name %s: %v, %v", kitName, reply, err)
	}
	return kit
}

// silentBus is a system bus that accepts connections and never answers.
func silentBus(t *testing.T) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "bus")
	listener, err := net.Listen("unix", socket) // the backlog accepts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+socket)
}

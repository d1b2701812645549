package rights

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

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

// agreeable stands in for polkitd, which RealtimeKit asks who may; polkitd
// itself wants a login session.
type agreeable struct{}

type subject struct {
	Kind    string
	Details map[string]dbus.Variant
}

type verdict struct {
	Authorized, Challenge bool
	Details               map[string]string
}

// CheckAuthorization is the method of polkit's interface.
func (agreeable) CheckAuthorization(_ subject, _ string, _ map[string]string, _ uint32, _ string) (verdict, *dbus.Error) {
	return verdict{Authorized: true, Details: map[string]string{}}, nil
}

// startRealtimeKit starts Debian's rtkit-daemon on a bus of its own, and
// returns the environment of programs that shall find it there.
func (l *lab) startRealtimeKit() (env []string) {
	l.t.Helper()
	// Not in the stack's directory, which rtkit-daemon's own user cannot enter.
	directory, err := os.MkdirTemp("", "archibald-bus-")
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = os.RemoveAll(directory) })
	socket, file := filepath.Join(directory, "bus"), filepath.Join(directory, "bus.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, busConfig, socket), 0o600); err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.Start("system-bus", nil, "dbus-daemon", "--config-file="+file, "--nofork"); err != nil {
		l.t.Fatal(err)
	}
	address := "unix:path=" + socket
	bus := connect(l.t, address)
	const polkit = "org.freedesktop.PolicyKit1"
	if err := bus.Export(agreeable{}, "/org/freedesktop/PolicyKit1/Authority", polkit+".Authority"); err != nil {
		l.t.Fatal(err)
	}
	if _, err := bus.RequestName(polkit, dbus.NameFlagDoNotQueue); err != nil {
		l.t.Fatal(err)
	}
	env = []string{"DBUS_SYSTEM_BUS_ADDRESS=" + address}
	// Its own limits forbid it to write the log file of this test.
	daemon, err := l.Start("rtkit-daemon", env, "/usr/libexec/rtkit-daemon", "--stderr", "--no-limit-resources")
	if err != nil {
		l.t.Fatalf("%v (Debian package rtkit)", err)
	}
	l.t.Cleanup(func() {
		if text, err := os.ReadFile(daemon.Log); l.t.Failed() && err == nil {
			l.t.Logf("rtkit-daemon said:\n%s", text)
		}
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var there bool
		err := bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.RealtimeKit1").Store(&there)
		if err == nil && there {
			return env
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("rtkit-daemon is not on the bus after 10 s: %v", err)
		}
	}
}

func connect(t *testing.T, address string) *dbus.Conn {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		bus, err := dbus.Connect(address)
		if err == nil {
			t.Cleanup(func() { _ = bus.Close() })
			return bus
		}
		if time.Now().After(deadline) {
			t.Fatalf("bus: %v", err)
		}
	}
}

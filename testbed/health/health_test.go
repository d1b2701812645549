package health

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/stack"
	"archibald-bridge/testbed/strangers"
)

// Starting servers takes longer than the tests: all have the same ones.
var town *strangers.Town

func TestMain(m *testing.M) {
	var err error
	if town, err = strangers.Build("", stack.NewShared); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := town.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// start begins a session with sound.
func start(t *testing.T, guestFlags ...string) {
	t.Helper()
	t.Cleanup(town.StopEnds)
	must(t, town.StartHost())
	must(t, town.StartGuest(strangers.HostDoor, guestFlags...))
	must(t, town.WaitUp(30*time.Second))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ip changes the network of a machine.
func ip(t *testing.T, machine *stack.Stack, args string) {
	t.Helper()
	must(t, machine.Inside(func() error {
		out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
		return nil
	}))
}

// says waits until an end names a problem, or until it has none of that kind.
func says(t *testing.T, end string, ask func() (status.Status, error), code, text string, want bool, within time.Duration) {
	t.Helper()
	var s status.Status
	var err error
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if s, err = ask(); err != nil {
			continue
		}
		found := false
		for _, p := range s.Problems {
			found = found || p.Code == code && strings.Contains(p.Text, text)
		}
		if found == want {
			return
		}
	}
	t.Errorf("the %s within %s: %+v, %v, want %s %q: %v", end, within, s.Problems, err, code, text, want)
}

const soon = 5 * time.Second

// Sound is lost on the last stretch, reports are not.
func TestAPathThatIsNarrowForOneSideIsSaidAtBothEnds(t *testing.T) {
	start(t)
	ip(t, town.Guest, "link set "+stack.Wire+" mtu 700")
	t.Cleanup(func() { ip(t, town.Guest, "link set "+stack.Wire+" mtu 1500") })
	says(t, "guest", town.GuestStatus, "mtu", "is the path's MTU below 8", true, soon)
	says(t, "host", town.HostStatus, "not-heard", "is the path's MTU below 8", true, soon)
	guest, err := town.GuestStatus()
	must(t, err)
	if guest.Session.State != status.SessionUp || guest.Directions.Receive.State != status.DirectionSilent || guest.Directions.Send.State != status.DirectionRunning {
		t.Errorf("%+v", guest)
	}
	ip(t, town.Guest, "link set "+stack.Wire+" mtu 1500")
	says(t, "guest", town.GuestStatus, "mtu", "", false, soon)
	says(t, "host", town.HostStatus, "not-heard", "", false, soon)
	must(t, town.WaitUp(soon))
}

func TestAnEndWithoutAWayToItsPeerSaysWhy(t *testing.T) {
	start(t)
	address := strangers.GuestAddress.String() + "/24 dev " + stack.Wire
	ip(t, town.Guest, "addr del "+address)
	back := func() { ip(t, town.Guest, "addr replace "+address) }
	t.Cleanup(back)
	says(t, "guest", town.GuestStatus, "send-errors", "network is unreachable", true, soon)
	says(t, "host", town.HostStatus, "nothing-comes", "neither sound nor reports", true, soon)
	back()
	must(t, town.WaitUp(30*time.Second))
	says(t, "guest", town.GuestStatus, "send-errors", "", false, soon)
}

func TestChannelsOfOneEndAreSaidAtBoth(t *testing.T) {
	start(t, "--channels", "6")
	for end, ask := range map[string]func() (status.Status, error){"guest": town.GuestStatus, "host": town.HostStatus} {
		says(t, end, ask, "channels", "the guest sends 6 channels, the host receives 2: 2 are used; give the host --channels 6", true, soon)
		says(t, end, ask, "channels", "the host sends 2 channels, the guest receives 6: 2 are used; give the host --channels 6", true, soon)
	}
}

// Package callers only tests: who may call an end, and who finds its host among strangers.
// The tests wait for what the ends say and do not judge gaps: others may run at once.
package callers

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

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

// machines is the town, whose ends a test may start; they end with the test.
func machines(t *testing.T) *strangers.Town {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("guest:\n%s\nhost:\n%s", strangers.Tail(town.GuestEnd), strangers.Tail(town.HostEnd))
		}
		town.StopEnds()
	})
	return town
}

// session is the town with both ends up.
func session(t *testing.T, peer netip.AddrPort) *strangers.Town {
	t.Helper()
	town := machines(t)
	must(t, town.StartHost())
	must(t, town.WaitReady(20*time.Second))
	must(t, town.StartGuest(peer))
	must(t, town.WaitUp(20*time.Second))
	return town
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

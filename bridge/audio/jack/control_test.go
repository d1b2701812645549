package jack

import (
	"errors"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/jacktest"
)

type stubControl struct {
	opened, open int
	fail         error
	ports        chan string
}

func (c *stubControl) Open() error {
	c.opened++
	if c.fail == nil {
		c.open++
	}
	return c.fail
}

func (c *stubControl) Close() { c.open-- }

func (c *stubControl) PortAppeared(name string) {
	select {
	case c.ports <- name:
	default:
	}
}

func TestControlLivesWithinTheClients(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	control := &stubControl{}
	server, _ := newServer(t, jackd.Name, control)
	open(t, server, stereo)
	if control.open != 1 {
		t.Errorf("%d controls are open after Open", control.open)
	}
	for range 2 {
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		if control.open != 0 {
			t.Errorf("%d controls are open after Close", control.open)
		}
	}
	control.fail = errors.New("no control today")
	waitFor(t, "the control's error", func() bool {
		_, err := server.Open(stereo)
		return errors.Is(err, control.fail)
	})
	for _, port := range jackd.Ports() {
		if strings.HasPrefix(port, "archibald") {
			t.Errorf("%s is left behind", port)
		}
	}
	if control.open != 0 {
		t.Errorf("a control that failed to open is closed: %d", control.open)
	}
}

func TestControlHearsOfNewPorts(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	control := &stubControl{ports: make(chan string, 100)}
	server, _ := newServer(t, jackd.Name, control)
	open(t, server, stereo)
	through, err := jacktest.OpenThrough(jackd.Name, "through")
	if err != nil {
		t.Fatal(err)
	}
	defer through.Close()
	heard := map[string]bool{}
	for !heard["through:in"] || !heard["through:out"] {
		select {
		case port := <-control.ports:
			heard[port] = true
		case <-time.After(3 * time.Second):
			t.Fatalf("heard only of %v", heard)
		}
	}
}

package strangers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/stack"
)

// Port is where both ends listen, TCP and UDP.
const Port = 4713

// The machines' addresses. The first three are in the default of allow, the outside
// one is not.
var (
	HostAddress    = netip.MustParseAddr("192.168.122.1")
	GuestAddress   = netip.MustParseAddr("192.168.122.2")
	InsideAddress  = netip.MustParseAddr("192.168.122.66")
	OutsideAddress = netip.MustParseAddr("10.66.0.66")
)

// The doors that a stranger knocks at.
var (
	HostDoor  = netip.AddrPortFrom(HostAddress, Port)
	GuestDoor = netip.AddrPortFrom(GuestAddress, Port)
)

// periodFrames is that of both servers.
const periodFrames = 512

// Town is the machines: a host with PipeWire, a guest with jackd, and one that both
// strangers are on.
type Town struct {
	Host, Guest, Strangers *stack.Stack
	HostEnd, GuestEnd      *stack.Process // nil: not started

	jackd         *stack.Jackd
	bridge, probe string
	starts        int // of ends and probes so far: each process needs a name of its own
}

// Build makes the machines, each by stack.New or stack.NewShared, and starts their servers.
// bridge is the program under test; "": it is built.
func Build(bridge string, open func() (*stack.Stack, error)) (town *Town, err error) {
	town = &Town{bridge: bridge}
	defer func() {
		if err != nil {
			err = errors.Join(err, town.Close())
		}
	}()
	for _, s := range []**stack.Stack{&town.Host, &town.Guest, &town.Strangers} {
		if *s, err = open(); err != nil {
			return town, err
		}
		if err = (*s).Isolate(); err != nil {
			return town, err
		}
	}
	if err = town.Host.Share(HostAddress.String()+"/24", "10.66.0.1/24"); err != nil {
		return town, err
	}
	if err = town.Guest.Plug(town.Host, GuestAddress.String()+"/24", "10.66.0.2/24"); err != nil {
		return town, err
	}
	if err = town.Strangers.Plug(town.Host, InsideAddress.String()+"/24", OutsideAddress.String()+"/24"); err != nil {
		return town, err
	}
	if town.bridge == "" {
		town.bridge = filepath.Join(town.Host.Dir, "archibald-bridge")
		if err = stack.Build(town.bridge, "archibald-bridge"); err != nil {
			return town, err
		}
	}
	if town.probe, err = probe.Build(town.Host.Dir); err != nil {
		return town, err
	}
	return town, town.startServers()
}

func (town *Town) startServers() (err error) {
	if err = town.Host.Quiet(); err != nil {
		return err
	}
	if town.jackd, err = town.Guest.StartJackd("strangers", periodFrames, 48000); err != nil {
		return err
	}
	if _, err = town.Host.StartPipeWire(periodFrames); err != nil {
		return err
	}
	_, err = town.Host.StartWirePlumber()
	return err
}

// Close ends it all.
func (town *Town) Close() error {
	var all []error
	for _, s := range []*stack.Stack{town.Guest, town.Strangers, town.Host} {
		if s != nil {
			all = append(all, s.Close())
		}
	}
	return errors.Join(all...)
}

func (town *Town) name(what string) string {
	town.starts++
	return fmt.Sprintf("%s-%d", what, town.starts)
}

// StartHost starts the host end, with its default of everything that is not given.
func (town *Town) StartHost(flags ...string) (err error) {
	args := append([]string{"host", "--host-period", fmt.Sprint(periodFrames), "--format", "L24", "--latency", "100ms"}, flags...)
	town.HostEnd, err = town.Host.Start(town.name("bridge-host"), nil, town.bridge, args...)
	return err
}

// StartGuest starts the guest end. It patches the probe again whenever the end starts
// again.
func (town *Town) StartGuest(peer netip.AddrPort, flags ...string) (err error) {
	args := append([]string{"guest", "--jack-server", town.jackd.Server, "--peer", peer.String(), "--format", "L24", "--latency", "100ms",
		"--connect", "guest-ear-*:out_1 -> archibald-to-host:in_1", "--connect", "archibald-from-host:out_1 -> guest-ear-*:in_1"}, flags...)
	town.GuestEnd, err = town.Guest.Start(town.name("bridge-guest"), nil, town.bridge, args...)
	return err
}

// StopEnds ends both ends, as a user does.
func (town *Town) StopEnds() {
	for _, end := range []**stack.Process{&town.GuestEnd, &town.HostEnd} {
		if *end != nil {
			(*end).Stop()
			*end = nil
		}
	}
}

// The machines on which an end runs, by the port of its status page.
const (
	hostStatus  = "127.0.0.1:8714"
	guestStatus = "127.0.0.1:8713"
)

// HostStatus is what the host end says of itself, GuestStatus what the guest end does.
func (town *Town) HostStatus() (status.Status, error)  { return ask(town.Host, hostStatus) }
func (town *Town) GuestStatus() (status.Status, error) { return ask(town.Guest, guestStatus) }

func ask(machine *stack.Stack, address string) (s status.Status, err error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (conn net.Conn, err error) {
		err = machine.Inside(func() (err error) {
			conn, err = net.DialTimeout("tcp", address, time.Second)
			return err
		})
		return conn, err
	}}
	client := http.Client{Timeout: 2 * time.Second, Transport: transport}
	response, err := client.Get("http://" + address + "/api/v1/status")
	if err != nil {
		return s, err
	}
	defer func() { _ = response.Body.Close() }()
	return s, json.NewDecoder(response.Body).Decode(&s)
}

// WaitUp waits until both ends play each other's sound.
func (town *Town) WaitUp(timeout time.Duration) error {
	running := func(s status.Status, err error) bool {
		return err == nil && s.Directions.Receive.State == status.DirectionRunning && s.Directions.Receive.BufferFrames > 0
	}
	for deadline := time.Now().Add(timeout); ; time.Sleep(20 * time.Millisecond) {
		if running(town.GuestStatus()) && running(town.HostStatus()) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no sound both ways after %s\nguest: %s\nhost: %s", timeout, Tail(town.GuestEnd), Tail(town.HostEnd))
		}
	}
}

// WaitReady waits until the host end has its nodes and answers.
func (town *Town) WaitReady(timeout time.Duration) error {
	for deadline := time.Now().Add(timeout); ; time.Sleep(50 * time.Millisecond) {
		if s, err := town.HostStatus(); err == nil && s.Audio.State != status.AudioAbsent {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the host end is not ready after %s: %s", timeout, Tail(town.HostEnd))
		}
	}
}

// Tail is the end of a program's log.
func Tail(p *stack.Process) string {
	if p == nil {
		return "not started"
	}
	return p.LogTail()
}

func netipPort(door netip.AddrPort, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(door.Addr(), port)
}

// Keygen makes a secret as a user does, in a file of the host.
func (town *Town) Keygen(name string) (path string, err error) {
	command, err := town.Host.Command(town.bridge, "keygen")
	if err != nil {
		return "", err
	}
	text, err := command.Output()
	if err != nil {
		return "", err
	}
	path = filepath.Join(town.Host.Dir, name)
	return path, os.WriteFile(path, text, 0o600)
}

// Package endtoend runs the whole bridge on real servers: jackd and scsynth on
// one side, PipeWire and WirePlumber on the other, both ends of the bridge
// between them on loopback addresses of their own.
package endtoend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/path"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/stack"
)

// Config says what to run.
type Config struct {
	PeriodFrames int // of both servers
	RateHz       int // of both servers; 0: 48000
	HostRateHz   int // of the host's server; 0: as the guest's
	Channels     int // each way; 0: two
	// Common, Guest and Host are further flags for both ends, or one.
	Common, Guest, Host []string
	// CallFromHost lets the host call the guest; otherwise the guest calls.
	CallFromHost bool
	// Tags are further build tags of the bridge.
	Tags []string
	// Shared says that no sound is judged: another process may use the machine, too.
	Shared bool
	// GuestOnPipeWire and HostOnJACK: the other way round than usual.
	GuestOnPipeWire, HostOnJACK bool
	// Netone is the end that drives its JACK server, whose driver is netone; "": none.
	Netone proto.Role
	// Way is what lies between the ends where the guest calls; the zero Kind: nothing.
	Way path.Kind
	// Static ends have no session; each has the other as its peer.
	Static bool
	// Ask the ends all the time what their servers did: a test that judges gaps needs
	// to know, a benchmark of what the ends cost does not.
	Ask bool
}

// Rig is the whole of it. Every server can be killed and restarted through its
// own handle.
type Rig struct {
	*stack.Stack
	Config      Config
	JackServer  string       // its name, whether it runs or not
	Jackd       *stack.Jackd // the guest's
	HostJackd   *stack.Jackd
	Scsynth     *stack.Scsynth
	PipeWire    *stack.Process // the host's
	WirePlumber *stack.Process
	Guest, Host *stack.Process
	Way         *path.Path // nil: the ends reach each other

	binary, probe string
	port          int            // of both ends, TCP and UDP
	wayAt         netip.AddrPort // where the guest calls the way
	netonePort    int            // UDP, of the JACK server that an end drives
	vm            *stack.Stack   // the PipeWire of a guest, and the programs beside it
	probes        int            // started so far: each needs a name of its own
}

// New builds the programs and starts nothing.
func New(config Config) (*Rig, error) {
	if config.RateHz == 0 {
		config.RateHz = 48000
	}
	if config.HostRateHz == 0 {
		config.HostRateHz = config.RateHz
	}
	open := stack.New
	if config.Shared {
		open = stack.NewShared
	}
	s, err := open()
	if err != nil {
		return nil, err
	}
	r := &Rig{Stack: s, Config: config, JackServer: stack.JackServerName("guest")}
	if r.port, err = FreePort(); err == nil {
		r.netonePort, err = freeUDPPort()
	}
	if err == nil && config.GuestOnPipeWire {
		r.vm, err = open()
	}
	if err == nil && config.Way != (path.Kind{}) {
		to := r.address(proto.Host)
		r.wayAt = netip.AddrPortFrom(to.Addr().Next().Next(), to.Port())
		r.Way, err = path.Open(r.wayAt, to, config.Way)
	}
	if err == nil {
		r.probe, err = probe.Build(s.Dir)
	}
	if err == nil {
		r.binary = filepath.Join(s.Dir, "archibald-bridge")
		err = stack.Build(r.binary, "archibald-bridge", config.Tags...)
	}
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// Close stops everything, as that of Stack does.
func (r *Rig) Close() error {
	err := r.Stack.Close()
	if r.vm != nil {
		err = errors.Join(err, r.vm.Close())
	}
	if r.Way != nil {
		err = errors.Join(err, r.Way.Close())
	}
	return err
}

// SetPeriod changes the period of the running JACK server.
func (r *Rig) SetPeriod(frames int) error {
	command, err := r.Command("jack_bufsize", fmt.Sprint(frames))
	if err != nil {
		return err
	}
	command.Env = append(command.Env, "JACK_DEFAULT_SERVER="+r.JackServer)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("jack_bufsize %d: %w: %s", frames, err, bytes.TrimSpace(out))
	}
	return nil
}

// StartGuest starts the guest end. Its server need not run.
func (r *Rig) StartGuest() (err error) {
	args := append([]string{"guest"}, r.server(proto.Guest)...)
	args = append(append(args, r.common(proto.Guest, r.Config.CallFromHost)...), r.Config.Guest...)
	r.Guest, err = r.beside(proto.Guest).Start("bridge-guest", nil, r.binary, args...)
	return err
}

// StartHost starts the host end.
func (r *Rig) StartHost() (err error) {
	args := append([]string{"host"}, r.server(proto.Host)...)
	args = append(append(args, r.common(proto.Host, !r.Config.CallFromHost)...), r.Config.Host...)
	r.Host, err = r.Start("bridge-host", nil, r.binary, args...)
	return err
}

func (r *Rig) common(role proto.Role, waits bool) []string {
	args := []string{"--listen", r.address(role).String(), "--status-listen", statusAddress(role)}
	if r.Config.Static {
		args = append(args, "--static")
	}
	if !waits || r.Config.Static {
		peer := r.address(role.Other())
		if r.Way != nil && role == proto.Guest {
			peer = r.wayAt
		}
		args = append(args, "--peer", peer.String())
	}
	if r.Config.Channels != 0 {
		args = append(args, "--channels", fmt.Sprint(r.Config.Channels))
	}
	return append(args, r.Config.Common...)
}

// address is where an end listens.
func (r *Rig) address(role proto.Role) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(Address(role)), uint16(r.port))
}

// sides are the names of the first two channels of PipeWire nodes with so many.
func sides(channels int) (left, right string) {
	if channels > 8 {
		return "AUX0", "AUX1"
	}
	return "FL", "FR"
}

// StartAll starts servers and ends and waits until sound can flow.
func (r *Rig) StartAll() error {
	for _, start := range []func() error{r.StartGuestServer, r.StartHostServer, r.StartGuest, r.StartHost} {
		if err := start(); err != nil {
			return err
		}
	}
	return r.WaitRunning(20 * time.Second)
}

// Address is the loopback address of an end: no other run on this machine has
// the same.
func Address(role proto.Role) string {
	pid := os.Getpid()
	last := 1
	if role == proto.Host {
		last = 2
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+pid>>16&0x7f, pid>>8&0xff, pid&0x7f<<1|last&1)
}

func statusAddress(role proto.Role) string { return statusAddressOf(role, 0) }

// statusAddressOf is that of the nth end of a role.
func statusAddressOf(role proto.Role, n int) string {
	port := 8713
	if role == proto.Host {
		port = 8714
	}
	return fmt.Sprintf("%s:%d", Address(role), port+2*n)
}

var client = http.Client{Timeout: 2 * time.Second}

// Status asks an end for its state.
func (r *Rig) Status(role proto.Role) (status.Status, error) { return askStatus(statusAddress(role)) }

func askStatus(address string) (s status.Status, err error) {
	response, err := client.Get("http://" + address + "/api/v1/status")
	if err != nil {
		return s, err
	}
	defer func() { _ = response.Body.Close() }()
	return s, json.NewDecoder(response.Body).Decode(&s)
}

// WaitRunning waits until both ends receive and play the other's sound.
func (r *Rig) WaitRunning(timeout time.Duration) error {
	return r.wait(timeout, func(s status.Status) bool {
		d := s.Directions.Receive
		return d.State == status.DirectionRunning && (d.BufferFrames > 0 || s.Session.Locked != "")
	})
}

// WaitExact waits until both ends have found that the servers share a clock and
// copy without resampling.
func (r *Rig) WaitExact(timeout time.Duration) error {
	return r.wait(timeout, func(s status.Status) bool {
		d := s.Directions.Receive
		return d.BufferFrames > 0 && d.RatioPPM == 0
	})
}

// wait waits until both ends are good.
func (r *Rig) wait(timeout time.Duration, good func(status.Status) bool) error {
	deadline := time.Now().Add(timeout)
	for {
		received := map[proto.Role]status.Direction{}
		missing := 0
		for _, role := range []proto.Role{proto.Guest, proto.Host} {
			s, err := r.Status(role)
			received[role] = s.Directions.Receive
			if err != nil || !good(s) {
				missing++
			}
		}
		if missing == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no sound both ways after %s: the guest's incoming sound is %q, the host's %q\nguest: %s\nhost: %s", timeout,
				received[proto.Guest].State, received[proto.Host].State, r.tail(r.Guest), r.tail(r.Host))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Logs is the end of both ends' logs.
func (r *Rig) Logs() string {
	return fmt.Sprintf("guest:\n%s\nhost:\n%s", r.tail(r.Guest), r.tail(r.Host))
}

func (r *Rig) tail(p *stack.Process) string {
	if p == nil {
		return "not started"
	}
	return p.LogTail()
}

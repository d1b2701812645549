package main

import (
	"errors"

	"archibald-bridge/testbed/skew"
	"archibald-bridge/testbed/stack"
)

// tools are the programs that are built once.
type tools struct {
	bridge, probe, skew string
	unpacked            map[*unpacked]string // folders
	// open is stack.New or stack.NewShared; nil: stack.New
	open func() (*stack.Stack, error)
}

// machine is a pretended computer with one audio server.
type machine struct {
	*stack.Stack
	address string
	jackd   *stack.Jackd // nil: PipeWire
}

// jack is the JACK server's name, "" for PipeWire.
func (m machine) jack() string {
	if m.jackd == nil {
		return ""
	}
	return m.jackd.Server
}

// pair is guest and host with a cable between them.
type pair struct {
	tools
	place
	hostsPipeWire bool // the host's server is PipeWire, and the guest's may be
	guest, host   machine
}

// newPair makes both machines. The host's clock runs fast by skewPPM.
func newPair(t tools, servers string, at place, skewPPM float64) (*pair, error) {
	open := t.open
	if open == nil {
		open = stack.New
	}
	p := &pair{tools: t, place: at, hostsPipeWire: servers != jackServers}
	for _, m := range []*machine{&p.guest, &p.host} {
		var err error
		if m.Stack, err = open(); err == nil {
			err = m.Isolate()
		}
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
	}
	p.guest.address, p.host.address = "10.47.13.1", "10.47.13.2"
	if err := stack.Join(p.guest.Stack, p.host.Stack, p.guest.address, p.host.address); err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.host.Environment = skew.New(t.skew, skewPPM).Env()
	return p, nil
}

func (p *pair) close() error {
	var all []error
	for _, m := range []machine{p.guest, p.host} {
		if m.Stack != nil {
			all = append(all, m.Close())
		}
	}
	return errors.Join(all...)
}

// startJackd starts a JACK server with the dummy driver on both machines.
func (p *pair) startJackd() (err error) {
	if err := p.startHostJackd(); err != nil {
		return err
	}
	return p.startGuestJackd()
}

func (p *pair) startGuestJackd() (err error) {
	p.guest.jackd, err = p.guest.StartJackd("guest", p.periodFrames, p.rateHz)
	return err
}

func (p *pair) startHostJackd() (err error) {
	p.host.jackd, err = p.host.StartJackd("host", p.periodFrames, p.rateHz)
	return err
}

// start starts a program of the bridge on a machine. A JACK client among them
// may be refused; then it is started again.
func (b *bridge) start(m machine, name string, program string, args ...string) error {
	p, err := m.StartPatiently(name, []string{"JACK_DEFAULT_SERVER=" + m.jack()}, program, args...)
	if err != nil {
		return err
	}
	b.processes = append(b.processes, p)
	return nil
}

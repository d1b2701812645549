package main

import (
	"fmt"
	"strings"
	"time"

	"archibald-bridge/testbed/stack"
)

// netJackGroup are the flags of where masters and slaves of netJACK2 find each other.
const netJackGroup = "-a 225.3.19.154 -p 19000"

// load loads a client into the machine's JACK server.
func (m machine) load(client, flags string) (*stack.Process, error) {
	p, err := m.Start("jack_load-"+client, []string{"JACK_DEFAULT_SERVER=" + m.jack()}, "jack_load", client, "-i", flags)
	if err != nil {
		return nil, err
	}
	if code, err := p.Wait(5 * time.Second); err != nil || code != 0 {
		return nil, fmt.Errorf("jack_load %s: exit code %d, %v: %s", client, code, err, p.LogTail())
	}
	return p, nil
}

// startNetJack2 loads netJACK2's manager into the host's server. The guest's
// server is the net driver, so its clock is the host's; what both servers use is
// counted as the bridge's processor time.
func startNetJack2(p *pair, setting string) (*bridge, error) {
	if err := p.startHostJackd(); err != nil {
		return nil, err
	}
	manager, err := p.host.load("netmanager", netJackGroup)
	if err != nil {
		return nil, err
	}
	args := strings.Fields(netJackGroup + " -n guest -C 2 -P 2 " + setting)
	if p.guest.jackd, err = p.guest.StartJackdDriver("guest", "net", args...); err != nil {
		return nil, err
	}
	b := p.servers()
	b.loop = [][2]string{{"guest:from_slave_1", "guest:to_slave_1"}, {"guest:from_slave_2", "guest:to_slave_2"}}
	b.processes = append(b.processes, p.host.jackd.Process, p.guest.jackd.Process)
	b.loaded = []*stack.Process{manager}
	return b, nil
}

// startNetOne starts the guest's server with the driver netone, and the source
// that drives it on the host.
func startNetOne(p *pair, setting string) (*bridge, error) {
	if err := p.startHostJackd(); err != nil {
		return nil, err
	}
	b := &bridge{}
	const client = "netsource"
	err := b.start(p.host, "netsource", "jack_netsource", append(strings.Fields(
		"-s "+p.host.jack()+" -H "+p.guest.address+" -o 2 -i 2 -I 0 -O 0 -p 3000 -N "+client), strings.Fields(setting)...)...)
	if err != nil {
		return nil, err
	}
	args := strings.Fields(fmt.Sprintf("-r %d -l 3000 -i 2 -o 2 -I 0 -O 0 -p %d %s", p.rateHz, p.periodFrames, setting))
	if p.guest.jackd, err = p.guest.StartJackdDriver("guest", "netone", args...); err != nil {
		return nil, err
	}
	processes := append(b.processes, p.guest.jackd.Process)
	b = p.servers()
	b.loop = [][2]string{{client + ":capture_1", client + ":playback_1"}, {client + ":capture_2", client + ":playback_2"}}
	b.processes = processes
	return b, nil
}

// startNetAdapter loads jackd2's netadapter into the guest's server and netJACK2's manager
// into the host's. Both servers keep their clocks; netadapter resamples. What both servers
// use is counted as the bridge's processor time.
func startNetAdapter(p *pair, setting string) (*bridge, error) {
	if err := p.startJackd(); err != nil {
		return nil, err
	}
	return p.addNetAdapter(setting)
}

// addNetAdapter is startNetAdapter with servers that run.
func (p *pair) addNetAdapter(setting string) (*bridge, error) {
	if _, err := p.host.load("netmanager", netJackGroup); err != nil {
		return nil, err
	}
	adapter, err := p.guest.load("netadapter", netJackGroup+" -n guest -C 2 -P 2 "+setting)
	if err != nil {
		return nil, err
	}
	return &bridge{
		in:        [2]string{"netadapter:playback_1", "netadapter:playback_2"},
		out:       [2]string{"netadapter:capture_1", "netadapter:capture_2"},
		loop:      [][2]string{{"guest:from_slave_1", "guest:to_slave_1"}, {"guest:from_slave_2", "guest:to_slave_2"}},
		processes: []*stack.Process{p.host.jackd.Process, p.guest.jackd.Process},
		loaded:    []*stack.Process{adapter},
	}, nil
}

// The driver drives PipeWire's graph by the packets of the guest's manager.
const netJack2Driver = `context.modules = [
  { name = libpipewire-module-netjack2-driver args = {
    local.ifname = %[1]s net.ip = 225.3.19.154 net.port = 19000 netjack2.client-name = host
    midi.ports = 0 audio.channels = 2 audio.position = [ FL FR ] %[2]s
    source.props = { node.name = netjack2-source }
    sink.props = { node.name = netjack2-sink }
  } }
]
`

// startNetJack2Driver loads netJACK2's manager into the guest's server. The host's
// PipeWire has the driver, so its clock is the guest's.
func startNetJack2Driver(from *unpacked) func(*pair, string) (*bridge, error) {
	return func(p *pair, setting string) (*bridge, error) {
		if err := p.startGuestJackd(); err != nil {
			return nil, err
		}
		manager, err := p.guest.load("netmanager", netJackGroup)
		if err != nil {
			return nil, err
		}
		name, cycles, _ := strings.Cut(setting, " ")
		daemon, err := p.startPipeWire(p.host, from, fmt.Sprintf(netJack2Driver, stack.Wire, name+" = "+cycles))
		if err != nil {
			return nil, err
		}
		for node, direction := range map[string]string{"netjack2-source": "Output", "netjack2-sink": "Input"} {
			if err := p.host.giveNodePorts(node, direction); err != nil {
				return nil, err
			}
		}
		return &bridge{
			in:        [2]string{"host:to_slave_1", "host:to_slave_2"},
			out:       [2]string{"host:from_slave_1", "host:from_slave_2"},
			links:     [][2]string{{"netjack2-source:capture_FL", "netjack2-sink:playback_FL"}, {"netjack2-source:capture_FR", "netjack2-sink:playback_FR"}},
			processes: []*stack.Process{p.guest.jackd.Process, daemon},
			loaded:    []*stack.Process{manager},
		}, nil
	}
}

// servers is a bridge that is the guest's own driver.
func (p *pair) servers() *bridge {
	return &bridge{
		in:  [2]string{"system:playback_1", "system:playback_2"},
		out: [2]string{"system:capture_1", "system:capture_2"},
	}
}

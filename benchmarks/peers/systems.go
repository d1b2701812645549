package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"archibald-bridge/testbed/stack"
)

// system is a bridge between two servers, and what it is tried with.
type system struct {
	name, servers string
	slaved        bool             // the guest's clock follows the host's
	settings      map[int][]string // by period
	settle        time.Duration    // from the programs' start until it is measured; 0: usualSettle
	// start starts servers and programs for a setting.
	start func(p *pair, setting string) (*bridge, error)
}

// bridge is a system that runs. Sound goes in at the guest's ports in, one for
// each channel, and comes back at the guest's ports out.
type bridge struct {
	in, out   [2]string
	loop      [][2]string // connections on the host that send the sound back
	processes []*stack.Process
	// status is nil where there is none; else both ends' status and the dropouts
	// that they count.
	status func() (status json.RawMessage, dropouts int, err error)
}

// commands are the bridge's programs as they were started.
func (b *bridge) commands() []string {
	var all []string
	for _, p := range b.processes {
		all = append(all, p.Command)
	}
	return all
}

// withFlag is a setting for each value of a flag, at every period.
func withFlag(flag string, values ...string) map[int][]string {
	var settings []string
	for _, value := range values {
		settings = append(settings, flag+" "+value)
	}
	return always(settings...)
}

// always is the same settings at every period.
func always(settings ...string) map[int][]string {
	return map[int][]string{64: settings, 32: settings}
}

// systems in the order of the table of contents; plan shuffles them.
var systems = []*system{
	{name: "control", servers: jackServers, settings: always("none"), start: startControl},
	{name: "archibald-bridge", servers: jackServers, start: startOurs, settings: map[int][]string{
		64: {"74frames", "80frames", "92frames", "112frames", "192frames", "auto"},
		32: {"42frames", "48frames", "54frames", "62frames", "96frames", "auto"},
	}},
	// After a timing error its receiver is mute for 10 s.
	{name: "zita-njbridge", servers: jackServers, start: startZita, settle: 14 * time.Second,
		settings: withFlag("--filt 16 --buff", "1", "2", "5", "10", "20")},
	{name: "jacktrip", servers: jackServers, start: startJackTrip, settings: withFlag("-q", "2", "3", "4", "6", "8")},
	{name: "netjack2", servers: jackServers, slaved: true, start: startNetJack2, settings: withFlag("-l", "0", "1", "2", "3", "4")},
	{name: "netone", servers: jackServers, slaved: true, start: startNetOne, settings: withFlag("-n", "1", "2", "3", "4", "5")},
	{name: "control", servers: pipeWires, settings: always("none"), start: startPipeWireControl},
	// Sessions are announced every 5 s.
	{name: "pipewire-rtp", servers: pipeWires, start: startRTP, settle: 12 * time.Second,
		settings: withFlag("sess.latency.msec", "1", "2", "3", "5", "10")},
}

const (
	jackServers = "jackd+jackd"
	pipeWires   = "pipewire+pipewire"
)

// startControl connects the probes on the guest with themselves.
func startControl(p *pair, _ string) (*bridge, error) {
	return &bridge{
		in:  [2]string{ioDelay + ":in", guestProbe + ":in_1"},
		out: [2]string{ioDelay + ":out", guestProbe + ":out_1"},
	}, p.startJackd()
}

// find returns the systems of these names, all for none.
func find(names string) ([]*system, error) {
	if names == "" {
		return systems, nil
	}
	var found []*system
	for name := range strings.SplitSeq(names, ",") {
		before := len(found)
		for _, s := range systems {
			if s.name == name {
				found = append(found, s)
			}
		}
		if len(found) == before {
			var legal []string
			for _, s := range systems {
				legal = append(legal, s.name)
			}
			return nil, fmt.Errorf("-systems %q: legal are %s", name, strings.Join(legal, ", "))
		}
	}
	return found, nil
}

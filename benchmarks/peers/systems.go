package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"archibald-bridge/benchmarks/results"
	"archibald-bridge/testbed/stack"
)

// system is a bridge between two servers, and what it is tried with.
type system struct {
	name, servers string
	follows       end                // whose clock follows the other's
	settings      map[place][]string // by period and rate, those first that say most
	settle        time.Duration      // from the programs' start until it is measured; 0: usualSettle
	needs         *unpacked          // nil: everything is installed
	// start starts servers and programs for a setting.
	start func(p *pair, setting string) (*bridge, error)
}

// end is one of the two machines, or neither.
type end int

const (
	neither end = iota
	theGuest
	theHost
)

// bridge is a system that runs. Sound goes in at the guest's ports in, one for
// each channel, and comes back at the guest's ports out.
type bridge struct {
	in, out [2]string
	// What sends the sound back on the host: loop are connections of JACK ports, links
	// those of PipeWire's nodes.
	loop, links [][2]string
	processes   []*stack.Process
	loaded      []*stack.Process     // what was started once and has ended: only commands
	status      func() (ends, error) // nil where there is none
}

// commands are the bridge's programs as they were started.
func (b *bridge) commands() []string {
	var all []string
	for _, p := range slices.Concat(b.processes, b.loaded) {
		all = append(all, p.Command)
	}
	return all
}

// withFlag is a setting for each value of a flag, everywhere.
func withFlag(flag string, values ...string) map[place][]string {
	var settings []string
	for _, value := range values {
		settings = append(settings, flag+" "+value)
	}
	return always(settings...)
}

// always is the same settings everywhere.
func always(settings ...string) map[place][]string {
	all := map[place][]string{}
	for _, p := range places {
		all[p] = settings
	}
	return all
}

// Between which servers, the guest's first.
const (
	jackServers  = "jackd+jackd"
	mixedServers = "jackd+pipewire" // as the product is used
	mixed14      = "jackd+pipewire of bookworm-backports"
	mixedNewest  = "jackd+pipewire of sid"
	pipeWires    = "pipewire+pipewire"
	pipeWires14  = "pipewire+pipewire of bookworm-backports"
)

// freely are settings of ours with free clocks. The frames at 96 kHz are those at 48 kHz
// of which one part, the network and the wake-ups, takes as long as there.
var freely = map[place][]string{
	{64, 48000}:  {"80frames", "auto", "74frames", "92frames", "112frames"},
	{32, 48000}:  {"48frames", "auto", "42frames", "62frames", "96frames"},
	{32, 96000}:  {"64frames", "auto", "48frames", "96frames", "160frames"},
	{256, 48000}: {"280frames", "auto", "272frames", "296frames", "384frames"},
}

// freelyElsewhere are those between other servers than the product's main ones.
var freelyElsewhere = map[place][]string{
	{64, 48000}:  {"80frames", "auto", "74frames"},
	{32, 48000}:  {"48frames", "auto", "42frames"},
	{32, 96000}:  {"64frames", "auto", "48frames"},
	{256, 48000}: {"280frames", "auto", "272frames"},
}

// systems in the order of the table of contents; plan shuffles them.
var systems = []*system{
	{name: results.Control, servers: mixedServers, settings: always("none"), start: startMixedControl(nil)},
	{name: results.Ours, servers: mixedServers, start: startOurs(freeClocks, nil), settings: freely},
	{name: results.Ours, servers: mixedServers, follows: theHost, start: startOurs(guestLeads, nil), settings: always("guest leads --answer-periods 1", "guest leads --answer-periods 2")},
	{name: results.Ours, servers: mixedServers, follows: theGuest, start: startOurs(hostLeads, nil), settings: always("host leads --answer-periods 1", "host leads --answer-periods 2")},
	// On the PipeWire of Debian 13, beside netjack2-driver there. A newer one's library needs
	// a newer C library than the installed programs have.
	{name: results.Ours, servers: mixed14, needs: pipeWireBackports, start: startOurs(freeClocks, pipeWireBackports), settings: freelyElsewhere},
	{name: results.Ours, servers: mixed14, follows: theHost, needs: pipeWireBackports, start: startOurs(guestLeads, pipeWireBackports), settings: always("guest leads --answer-periods 1", "guest leads --answer-periods 2")},
	{name: results.Ours, servers: mixed14, follows: theGuest, needs: pipeWireBackports, start: startOurs(hostLeads, pipeWireBackports), settings: always("host leads --answer-periods 1", "host leads --answer-periods 2")},
	// netJACK2's latency in cycles is the driver's to ask for.
	{name: "netjack2-driver", servers: mixed14, follows: theHost, needs: pipeWireBackports, start: startNetJack2Driver(pipeWireBackports),
		settings: withFlag("netjack2.latency", "0", "1", "2")},
	{name: results.Control, servers: mixed14, needs: pipeWireBackports, settings: always("none"), start: startMixedControl(pipeWireBackports)},
	{name: "netjack2-driver", servers: mixedNewest, follows: theHost, needs: pipeWireNewest, start: startNetJack2Driver(pipeWireNewest),
		settings: withFlag("netjack2.latency", "0", "1", "2")},
	{name: results.Control, servers: mixedNewest, needs: pipeWireNewest, settings: always("none"), start: startMixedControl(pipeWireNewest)},

	{name: results.Control, servers: jackServers, settings: always("none"), start: startControl},
	{name: results.Ours, servers: jackServers, start: startOurs(freeClocks, nil), settings: freelyElsewhere},
	// After a timing error its receiver is mute for 10 s.
	{name: "zita-njbridge", servers: jackServers, start: startZita, settle: 14 * time.Second,
		settings: withFlag("--filt 16 --buff", "1", "5", "20")},
	{name: "jacktrip", servers: jackServers, start: startJackTrip(nil), settings: withFlag("-q", "2", "4", "8")},
	{name: "jacktrip-3", servers: jackServers, needs: jackTripNewest, start: startJackTrip(jackTripNewest), settings: withFlag("--bufstrategy 3 -b 24 -q", "2", "4", "auto")},
	{name: "netjack2", servers: jackServers, follows: theGuest, start: startNetJack2, settings: withFlag("-l", "0", "1", "2")},
	{name: "netone", servers: jackServers, follows: theGuest, start: startNetOne, settings: withFlag("-n", "1", "2", "3")},
	// Without -g its ring grows at each failure.
	{name: "netadapter", servers: jackServers, start: startNetAdapter, settings: always("-l 0", "-l 0 -g 512", "-l 0 -g 2048")},

	{name: results.Control, servers: pipeWires, settings: always("none"), start: startPipeWireControl(nil)},
	// Sessions are announced every 5 s.
	{name: "pipewire-rtp", servers: pipeWires, start: startRTP, settle: 12 * time.Second,
		settings: withFlag("sess.latency.msec", "1", "2", "5")},
	{name: results.Control, servers: pipeWires14, needs: pipeWireBackports, settings: always("none"), start: startPipeWireControl(pipeWireBackports)},
	{name: "vban", servers: pipeWires14, needs: pipeWireBackports, start: startVBAN, settings: withFlag("sess.latency.msec", "2", "5", "10")},
}

// startControl connects the probes on the guest with themselves.
func startControl(p *pair, _ string) (*bridge, error) {
	return guestAlone(), p.startJackd()
}

// guestAlone has the loop on the guest's server itself.
func guestAlone() *bridge {
	return &bridge{
		in:  [2]string{ioDelay + ":in", guestProbe + ":in_1"},
		out: [2]string{ioDelay + ":out", guestProbe + ":out_1"},
	}
}

// startMixedControl is startControl with PipeWire on the host, where the loop is read, too.
func startMixedControl(from *unpacked) func(*pair, string) (*bridge, error) {
	return func(p *pair, _ string) (*bridge, error) {
		if err := p.startGuestJackd(); err != nil {
			return nil, err
		}
		if from == nil {
			return guestAlone(), p.startDesktop(p.host, nil, loopNode)
		}
		_, err := p.startPipeWire(p.host, from, loopNode)
		return guestAlone(), err
	}
}

// same is whether both are one system, whatever settings they have.
func (s *system) same(o *system) bool {
	return s.name == o.name && s.servers == o.servers && s.follows == o.follows
}

// limited are systems with so many of their settings at most, all for 0.
func limited(systems []*system, most int) []*system {
	if most == 0 {
		return systems
	}
	var all []*system
	for _, s := range systems {
		copied := *s
		copied.settings = map[place][]string{}
		for at, settings := range s.settings {
			copied.settings[at] = settings[:min(most, len(settings))]
		}
		all = append(all, &copied)
	}
	return all
}

// locked are ours where one end leads, with all settings, and beside it what it is held
// against: those of the others that slave a clock, at the setting with the least latency,
// which is their first, and the controls; all between these servers.
func locked(servers ...string) []*system {
	var all, others []*system
	for _, s := range systems {
		switch {
		case !slices.Contains(servers, s.servers):
		case s.name == results.Control || s.name != results.Ours && s.follows != neither:
			others = append(others, s)
		case s.follows != neither:
			all = append(all, s)
		}
	}
	return append(all, limited(others, 1)...)
}

// groups are names for several systems at once.
var groups = map[string]func() []*system{
	"locked":     func() []*system { return locked(mixedServers, jackServers) },
	"locked-1.4": func() []*system { return locked(mixed14) }, // beside PipeWire's netjack2-driver
}

// find returns the systems of these names, all for none. What several names mean is there
// once, with the most settings that one of them gives it.
func find(names string) ([]*system, error) {
	if names == "" {
		return systems, nil
	}
	var found []*system
	for name := range strings.SplitSeq(names, ",") {
		var meant []*system
		if group, ok := groups[name]; ok {
			meant = group()
		}
		for _, s := range systems {
			if s.name == name {
				meant = append(meant, s)
			}
		}
		if len(meant) == 0 {
			return nil, fmt.Errorf("-systems %q: legal are %s, %s", name, strings.Join(results.Systems, ", "), strings.Join(slices.Sorted(maps.Keys(groups)), ", "))
		}
		for _, s := range meant {
			switch i := slices.IndexFunc(found, s.same); {
			case i < 0:
				found = append(found, s)
			case slices.Contains(systems, s): // not one with its first settings alone
				found[i] = s
			}
		}
	}
	return found, nil
}

package main

import (
	"encoding/json"
	"fmt"

	"archibald-bridge/bridge/status"
)

// startOurs starts both ends of this bridge with two JACK servers.
func startOurs(p *pair, latency string) (*bridge, error) {
	if err := p.startJackd(); err != nil {
		return nil, err
	}
	b := &bridge{
		in:   [2]string{"archibald-to-host:in_1", "archibald-to-host:in_2"},
		out:  [2]string{"archibald-from-host:out_1", "archibald-from-host:out_2"},
		loop: [][2]string{{"archibald-from-guest:out_1", "archibald-to-guest:in_1"}, {"archibald-from-guest:out_2", "archibald-to-guest:in_2"}},
	}
	b.status = p.status
	err := b.start(p.host, "bridge-host", p.bridge, "host", "--backend", "jack", "--jack-server", p.host.jack(),
		"--allow", p.guest.address, "--latency", latency, "--clock", "free")
	if err != nil {
		return nil, err
	}
	return b, b.start(p.guest, "bridge-guest", p.bridge, "guest", "--jack-server", p.guest.jack(),
		"--peer", p.host.address, "--latency", latency, "--clock", "free")
}

func (p *pair) status() (json.RawMessage, int, error) {
	all, dropouts := map[string]json.RawMessage{}, 0
	for _, m := range []machine{p.guest, p.host} {
		command, err := m.Command(p.bridge, "status", "--json")
		if err != nil {
			return nil, 0, err
		}
		text, err := command.Output()
		if err != nil {
			return nil, 0, fmt.Errorf("status: %w", err)
		}
		var s status.Status
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, 0, fmt.Errorf("status: %w", err)
		}
		all[s.End] = text
		dropouts += int(s.Directions.Receive.Total.Dropouts)
	}
	text, err := json.Marshal(all)
	return text, dropouts, err
}

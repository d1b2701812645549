package main

import "strings"

// startJackTrip starts JackTrip between the two, the host's as the server. It
// does not resample.
func startJackTrip(p *pair, setting string) (*bridge, error) {
	if err := p.startJackd(); err != nil {
		return nil, err
	}
	const client = "jacktrip"
	b := &bridge{
		in:   [2]string{client + ":send_1", client + ":send_2"},
		out:  [2]string{client + ":receive_1", client + ":receive_2"},
		loop: [][2]string{{client + ":receive_1", client + ":send_1"}, {client + ":receive_2", client + ":send_2"}},
	}
	args := strings.Fields("-n 2 -D -J " + client + " --udprt " + setting)
	if err := b.start(p.host, "jacktrip", "jacktrip-cli", append([]string{"-s"}, args...)...); err != nil {
		return nil, err
	}
	return b, b.start(p.guest, "jacktrip", "jacktrip-cli", append([]string{"-c", p.host.address}, args...)...)
}

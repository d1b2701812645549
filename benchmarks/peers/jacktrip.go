package main

import (
	"path/filepath"
	"strings"
)

// startJackTrip starts JackTrip between the two, the host's as the server: the installed
// one (1.7 on Debian 12), or the newer one of another suite. It does not resample.
func startJackTrip(from *unpacked) func(*pair, string) (*bridge, error) {
	return func(p *pair, setting string) (*bridge, error) {
		if err := p.startJackd(); err != nil {
			return nil, err
		}
		const client = "jacktrip"
		b := &bridge{
			in:   [2]string{client + ":send_1", client + ":send_2"},
			out:  [2]string{client + ":receive_1", client + ":receive_2"},
			loop: [][2]string{{client + ":receive_1", client + ":send_1"}, {client + ":receive_2", client + ":send_2"}},
		}
		program := "jacktrip-cli"
		if from != nil {
			program = filepath.Join(p.unpacked[from], "bin", from.program)
		}
		args := strings.Fields("-n 2 -D -J " + client + " --udprt " + setting)
		if err := b.start(p.host, "jacktrip", program, append([]string{"-s"}, args...)...); err != nil {
			return nil, err
		}
		return b, b.start(p.guest, "jacktrip", program, append([]string{"-c", p.host.address}, args...)...)
	}
}

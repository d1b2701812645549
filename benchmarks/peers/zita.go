package main

import "strings"

// startZita starts zita-njbridge's four programs. Its receiver is given its own
// address, its sender the other's.
func startZita(p *pair, setting string) (*bridge, error) {
	if err := p.startJackd(); err != nil {
		return nil, err
	}
	b := &bridge{
		in:   [2]string{"zita-j2n:in_1", "zita-j2n:in_2"},
		out:  [2]string{"zita-n2j:out_1", "zita-n2j:out_2"},
		loop: [][2]string{{"zita-n2j:out_1", "zita-j2n:in_1"}, {"zita-n2j:out_2", "zita-j2n:in_2"}},
	}
	for _, m := range []machine{p.guest, p.host} {
		args := append(strings.Fields("--jserv "+m.jack()+" "+setting), m.address, "4713")
		if err := b.start(m, "zita-n2j", "zita-n2j", args...); err != nil {
			return nil, err
		}
	}
	for m, to := range map[machine]string{p.guest: p.host.address, p.host: p.guest.address} {
		if err := b.start(m, "zita-j2n", "zita-j2n", "--jserv", m.jack(), "--float", to, "4713"); err != nil {
			return nil, err
		}
	}
	return b, nil
}

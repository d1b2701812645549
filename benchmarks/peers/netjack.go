package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// startNetJack2 loads netJACK2's manager into the host's server. The guest's
// server is the net driver, so its clock is the host's; what both servers use is
// counted as the bridge's processor time.
func startNetJack2(p *pair, setting string) (*bridge, error) {
	if err := p.startHostJackd(); err != nil {
		return nil, err
	}
	const group, port = "225.3.19.154", "19000"
	load, err := p.host.Start("jack_load", []string{"JACK_DEFAULT_SERVER=" + p.host.jack()}, "jack_load", "netmanager", "-i", "-a "+group+" -p "+port)
	if err != nil {
		return nil, err
	}
	if code, err := load.Wait(5 * time.Second); err != nil || code != 0 {
		return nil, fmt.Errorf("jack_load netmanager: exit code %d, %v: %s", code, err, load.LogTail())
	}
	args := append(strings.Fields("-a "+group+" -p "+port+" -n guest -C 2 -P 2"), strings.Fields(setting)...)
	if p.guest.jackd, err = p.guest.StartJackdDriver("guest", "net", args...); err != nil {
		return nil, err
	}
	b := p.servers()
	b.loop = [][2]string{{"guest:from_slave_1", "guest:to_slave_1"}, {"guest:from_slave_2", "guest:to_slave_2"}}
	b.processes = append(b.processes, p.host.jackd.Process, p.guest.jackd.Process)
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
	args := strings.Fields("-r 48000 -l 3000 -i 2 -o 2 -I 0 -O 0 -p " + strconv.Itoa(p.periodFrames) + " " + setting)
	if p.guest.jackd, err = p.guest.StartJackdDriver("guest", "netone", args...); err != nil {
		return nil, err
	}
	processes := append(b.processes, p.guest.jackd.Process)
	b = p.servers()
	b.loop = [][2]string{{client + ":capture_1", client + ":playback_1"}, {client + ":capture_2", client + ":playback_2"}}
	b.processes = processes
	return b, nil
}

// servers is a bridge that is the guest's own driver.
func (p *pair) servers() *bridge {
	return &bridge{
		in:  [2]string{"system:playback_1", "system:playback_2"},
		out: [2]string{"system:capture_1", "system:capture_2"},
	}
}

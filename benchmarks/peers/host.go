package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// hostReading is how long the round trip is read in the host's graph, after a run.
const hostReading = 10 * time.Second

// readOnHost measures the other way round: jack_iodelay in the host's graph, and what sends
// the sound back in the guest's, which must be jackd. So the round trip of a follower and that
// of its leader are both known, whichever of them the guest is. It leaves both so.
func (p *pair) readOnHost(b *bridge) ([]float64, error) {
	ports := [2]string{ioDelay + ":in", ioDelay + ":out"} // without a bridge: itself
	if p.host.jackd == nil {
		ports = [2]string{loopIn[0], loopOut[0]}
	}
	host := p.host.ports()
	if back := slices.Concat(b.loop, b.links); len(back) > 0 {
		ports = [2]string{back[0][1], back[0][0]}
		for _, pair := range back {
			if err := host.part(pair[0], pair[1]); err != nil {
				return nil, err
			}
		}
		guest := p.guest.ports()
		for i := range b.in {
			if err := guest.connect(b.out[i], b.in[i]); err != nil {
				return nil, err
			}
		}
	}
	delay, err := startIODelay(p.host, p.place)
	if err != nil {
		return nil, err
	}
	defer delay.Stop()
	if err := errors.Join(host.connect(ioDelay+":out", ports[0]), host.connect(ports[1], ioDelay+":in")); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second) // it doubts while its tones begin
	from := size(delay.Log)
	time.Sleep(hostReading)
	frames, err := readings(delay.Log, from)
	if err == nil && len(frames) == 0 {
		err = fmt.Errorf("jack_iodelay heard nothing: %s", delay.LogTail())
	}
	return frames, err
}

// patch connects and parts the ports of a machine's server.
type patch struct{ connect, part func(from, to string) error }

func (m machine) ports() patch {
	if m.jackd == nil {
		return patch{m.PipeWireConnect, m.PipeWireDisconnect}
	}
	return patch{
		func(from, to string) error { return m.JackConnect(m.jack(), from, to) },
		func(from, to string) error { return m.JackDisconnect(m.jack(), from, to) },
	}
}

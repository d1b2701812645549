package stack

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// Wire is the name of the network interface between two joined stacks, in each.
const Wire = "wire"

// Isolate gives what is started from now on a network of its own, without any
// interface, as if it ran on another machine (network_namespaces(7)). The network
// ends with the Stack. It needs root.
func (s *Stack) Isolate() error {
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	p, err := s.add(&Process{
		Name: "network",
		ready: func(p *Process) error {
			for range 100 {
				other, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", p.PID()))
				if err == nil && other != own {
					return nil
				}
				time.Sleep(20 * time.Millisecond)
			}
			return fmt.Errorf("no network of its own")
		},
	}, "unshare", "--net", "sleep", "infinity")
	if err != nil {
		return err
	}
	nsenter, err := find("nsenter")
	if err != nil {
		return err
	}
	s.network = p
	s.prefix = []string{nsenter, fmt.Sprintf("--net=/proc/%d/ns/net", p.PID())}
	return nil
}

// Join connects two isolated stacks by a cable (veth(4)); the IPv4 addresses have 24
// bits in common. Multicast takes that way, too.
func Join(a, b *Stack, addressA, addressB string) error {
	if err := a.runIP([]string{fmt.Sprintf("link add %s type veth peer name %s netns %d", Wire, Wire, b.network.PID())}); err != nil {
		return err
	}
	if err := a.runIP(wireCommands([]string{addressA + "/24"})); err != nil {
		return err
	}
	return b.runIP(wireCommands([]string{addressB + "/24"}))
}

// Traffic is what has come in over the cable.
type Traffic struct{ Packets, Bytes uint64 }

// Received counts what has come in over the cable since Join (proc_pid_net(5),
// dev).
func (s *Stack) Received() (Traffic, error) {
	var t Traffic
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", s.network.PID()))
	if err != nil {
		return t, err
	}
	_, counts, found := bytes.Cut(text, []byte(Wire+":"))
	if !found {
		return t, fmt.Errorf("no interface %q", Wire)
	}
	_, err = fmt.Sscan(string(counts), &t.Bytes, &t.Packets)
	return t, err
}

package stack

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Share makes an isolated stack the host of a network for several machines, as
// libvirt makes one of its virtual machines: its interface Wire is a bridge. An
// address is ADDRESS/BITS.
func (s *Stack) Share(addresses ...string) error {
	return s.runIP(append([]string{"link add " + Wire + " type bridge"}, wireCommands(addresses)...))
}

// Plug connects an isolated stack to the network of a host that has Shared one. It
// can be done once for each stack.
func (s *Stack) Plug(host *Stack, addresses ...string) error {
	port := fmt.Sprintf("port%d", s.network.PID())
	if err := host.runIP([]string{
		fmt.Sprintf("link add %s type veth peer name %s netns %d", port, Wire, s.network.PID()),
		"link set " + port + " master " + Wire,
		"link set " + port + " up",
	}); err != nil {
		return err
	}
	return s.runIP(wireCommands(addresses))
}

// wireCommands make the interface ready for use.
func wireCommands(addresses []string) (commands []string) {
	for _, address := range addresses {
		commands = append(commands, "addr add "+address+" dev "+Wire)
	}
	return append(commands, "link set lo up", "link set "+Wire+" up", "route add 224.0.0.0/4 dev "+Wire)
}

func (s *Stack) runIP(commands []string) error {
	for _, args := range commands {
		if _, err := s.output("ip", strings.Fields(args)...); err != nil {
			return err
		}
	}
	return nil
}

// Inside runs f on a thread that is in the network of an isolated stack (setns(2)).
// Sockets that f opens on its own goroutine stay there.
func (s *Stack) Inside(f func() error) error {
	done := make(chan error)
	go func() { done <- s.inside(f) }()
	return <-done
}

func (s *Stack) inside(f func() error) error {
	network, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", s.network.PID()))
	if err != nil {
		return err
	}
	defer network.Close()
	// Never unlocked: the thread ends with the goroutine, and nobody else gets it.
	runtime.LockOSThread()
	if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("setns: %w", err)
	}
	return f()
}

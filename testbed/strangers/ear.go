package strangers

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"archibald-bridge/testbed/stack"

	"golang.org/x/sys/unix"
)

// Ear hears all that comes in and goes out over a machine's cable (packet(7)).
type Ear struct {
	file *os.File
	done chan struct{}

	mu        sync.Mutex
	datagrams map[netip.Addr]int // UDP, by destination
	all       bytes.Buffer       // every packet, when it is kept
	keep      bool
}

// NewEar listens until Close. keep: what is heard is kept for Heard.
func NewEar(machine *stack.Stack, keep bool) (*Ear, error) {
	e := &Ear{done: make(chan struct{}), datagrams: map[netip.Addr]int{}, keep: keep}
	err := machine.Inside(func() error {
		wire, err := net.InterfaceByName(stack.Wire)
		if err != nil {
			return err
		}
		const allProtocols = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL&0xff<<8 // in network order
		socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, allProtocols)
		if err != nil {
			return fmt.Errorf("packet socket: %w", err)
		}
		if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20); err != nil {
			return fmt.Errorf("packet socket: %w", err)
		}
		e.file = os.NewFile(uintptr(socket), "ear")
		return unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: allProtocols, Ifindex: wire.Index})
	})
	if err != nil {
		return nil, err
	}
	go e.listen()
	return e, nil
}

func (e *Ear) listen() {
	defer close(e.done)
	packet := make([]byte, 1<<16)
	for {
		n, err := e.file.Read(packet)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err == nil {
			e.hear(packet[:n])
		}
	}
}

func (e *Ear) hear(packet []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.keep {
		e.all.Write(packet)
	}
	if len(packet) >= ipBytes && packet[0]>>4 == 4 && packet[9] == unix.IPPROTO_UDP {
		e.datagrams[netip.AddrFrom4([4]byte(packet[16:20]))]++
	}
}

// Datagrams counts the UDP datagrams to an address so far.
func (e *Ear) Datagrams(to ...netip.Addr) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, address := range to {
		n += e.datagrams[address]
	}
	return n
}

// Heard says whether a packet that was kept has these bytes in it.
func (e *Ear) Heard(text []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Contains(e.all.Bytes(), text)
}

// Close ends it.
func (e *Ear) Close() error {
	err := e.file.Close()
	<-e.done
	return err
}

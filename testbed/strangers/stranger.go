package strangers

import (
	"context"
	"net"
	"net/netip"
	"time"

	"archibald-bridge/testbed/stack"
)

// Stranger is somebody on a machine, at one of its addresses.
type Stranger struct {
	Machine *stack.Stack
	Address netip.Addr
}

// Inside is the stranger whose address allow's default lets in, Outside the other one.
func (town *Town) Inside() Stranger  { return Stranger{town.Strangers, InsideAddress} }
func (town *Town) Outside() Stranger { return Stranger{town.Strangers, OutsideAddress} }

// Neighbour is another program on the guest's machine.
func (town *Town) Neighbour() Stranger { return Stranger{town.Guest, GuestAddress} }

// Dial connects to a door.
func (s Stranger) Dial(to netip.AddrPort) (conn net.Conn, err error) {
	err = s.Machine.Inside(func() (err error) {
		conn, err = s.dial(to)
		return err
	})
	return conn, err
}

// dial is Dial where the thread is in the machine's network.
func (s Stranger) dial(to netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{Timeout: time.Second, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(s.Address, 0))}
	return dialer.Dial("tcp4", to.String())
}

// Socket is a UDP socket of the stranger. Port 0: any.
func (s Stranger) Socket(port uint16) (socket *net.UDPConn, err error) {
	err = s.Machine.Inside(func() (err error) {
		socket, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.Address, port)))
		return err
	})
	return socket, err
}

// pipe sends datagrams somewhere.
type pipe interface {
	send(to netip.AddrPort, datagram []byte) error
	Close() error
}

// honest sends from the address that it has.
type honest struct{ *net.UDPConn }

func (h honest) send(to netip.AddrPort, datagram []byte) error {
	_, err := h.WriteToUDPAddrPort(datagram, to)
	return err
}

// Attack goes on until ctx ends. An error says that it could not be made, not that
// it was repelled.
type Attack func(ctx context.Context) error

// every calls f again and again. It makes up for the time that it slept too long.
func every(ctx context.Context, interval time.Duration, f func(i int) error) error {
	begun := time.Now()
	for i := 0; ; i++ {
		if err := f(i); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(begun.Add(time.Duration(i+1) * interval))):
		}
	}
}

// Idle does nothing.
func Idle(context.Context) error { return nil }

// Together makes attacks at the same time.
func Together(attacks ...Attack) Attack {
	return func(ctx context.Context) error {
		results := make(chan error, len(attacks))
		for _, attack := range attacks {
			go func() { results <- attack(ctx) }()
		}
		var first error
		for range attacks {
			if err := <-results; first == nil {
				first = err
			}
		}
		return first
	}
}

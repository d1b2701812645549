package strangers

import (
	"net"
	"net/netip"
	"sync"
)

// Relay stands between the ends as QEMU's user network does: the guest calls it, and
// to the host all comes from its address, and from ports of its choice. It may as well
// be somebody who alters what passes.
type Relay struct {
	// Alter changes what the caller says, and Answer what it is told; nil: nothing.
	Alter, Answer func([]byte) []byte

	stranger Stranger
	host     netip.AddrPort
	listener net.Listener
	inner    *net.UDPConn // to the guest
	done     sync.WaitGroup

	mu    sync.Mutex
	outer *net.UDPConn // to the host
	guest netip.AddrPort
	said  [][]byte // by each caller, in order
}

// NewRelay starts one at the stranger's address.
func NewRelay(s Stranger, host netip.AddrPort, alter, answer func([]byte) []byte) (r *Relay, err error) {
	r = &Relay{Alter: alter, Answer: answer, stranger: s, host: host}
	if err = s.Machine.Inside(func() (err error) {
		r.listener, err = net.Listen("tcp4", netip.AddrPortFrom(s.Address, Port).String())
		return err
	}); err != nil {
		return nil, err
	}
	if r.inner, err = s.Socket(Port); err == nil {
		err = r.Rebind()
	}
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	r.done.Add(2)
	go r.accept()
	go r.outwards()
	return r, nil
}

// Rebind goes on from another port, as a NAT does that forgot a connection.
func (r *Relay) Rebind() error {
	socket, err := r.stranger.Socket(0)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outer != nil {
		_ = r.outer.Close()
	}
	r.outer = socket
	r.done.Add(1)
	go r.inwards(socket)
	return nil
}

// outwards passes on the guest's datagrams.
func (r *Relay) outwards() {
	defer r.done.Done()
	b := make([]byte, 1<<16)
	for {
		n, from, err := r.inner.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.guest = from
		_, _ = r.outer.WriteToUDPAddrPort(b[:n], r.host)
		r.mu.Unlock()
	}
}

// inwards passes on the host's, by one of the outer sockets.
func (r *Relay) inwards(socket *net.UDPConn) {
	defer r.done.Done()
	b := make([]byte, 1<<16)
	for {
		n, _, err := socket.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		if r.guest.IsValid() {
			_, _ = r.inner.WriteToUDPAddrPort(b[:n], r.guest)
		}
		r.mu.Unlock()
	}
}

func (r *Relay) accept() {
	defer r.done.Done()
	for {
		caller, err := r.listener.Accept()
		if err != nil {
			return
		}
		called, err := r.stranger.Dial(r.host)
		if err != nil {
			_ = caller.Close()
			continue
		}
		r.mu.Lock()
		number := len(r.said)
		r.said = append(r.said, nil)
		r.mu.Unlock()
		r.done.Add(2)
		go r.pass(caller, called, func(b []byte) []byte {
			r.mu.Lock()
			r.said[number] = append(r.said[number], b...)
			r.mu.Unlock()
			if r.Alter != nil {
				b = r.Alter(b)
			}
			return b
		})
		go r.pass(called, caller, r.Answer)
	}
}

// pass copies one direction of a connection, and ends both with it.
func (r *Relay) pass(from, to net.Conn, change func([]byte) []byte) {
	defer r.done.Done()
	defer func() { _, _ = to.Close(), from.Close() }()
	b := make([]byte, 1<<16)
	for {
		n, err := from.Read(b)
		if n > 0 {
			part := b[:n]
			if change != nil {
				part = change(part)
			}
			if _, err := to.Write(part); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Said is what each caller said, in order.
func (r *Relay) Said() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	said := make([][]byte, len(r.said))
	for i, text := range r.said {
		said[i] = append([]byte(nil), text...)
	}
	return said
}

// Close ends it, with the connections that it knows of left to their ends.
func (r *Relay) Close() error {
	err := r.listener.Close()
	for _, socket := range []*net.UDPConn{r.inner, r.outer} {
		if socket != nil {
			_ = socket.Close()
		}
	}
	return err
}

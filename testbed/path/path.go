// Package path is a long and lossy way between two ends: it forwards the datagrams
// and the TCP connections of one address to another, late, and loses datagrams. It
// needs nothing of the kernel (netem), and the same seed loses the same ones.
package path

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Kind says what a path does to each datagram, in both directions.
type Kind struct {
	Delay time.Duration
	Loss  float64 // share of the datagrams that are lost, each for itself
	Seed  uint64
}

// Path is open until Close.
type Path struct {
	kind       Kind
	at         netip.Addr
	near, far  *net.UDPConn // towards who calls, and towards who is called
	listener   *net.TCPListener
	to         netip.AddrPort
	caller     atomic.Pointer[netip.AddrPort] // where datagrams to near came from last
	done       sync.WaitGroup
	loss       atomic.Uint64    // the bits of Kind's Loss as it is now
	lost, sent [2]atomic.Uint64 // from near, from far
	mu         sync.Mutex
	open       map[net.Conn]bool
	closed     bool
}

// Open makes a path from the address at, which is to be called in place of to, and
// must be another of this machine.
func Open(at, to netip.AddrPort, kind Kind) (*Path, error) {
	p := &Path{kind: kind, at: at.Addr(), to: to, open: map[net.Conn]bool{}}
	p.Lose(kind.Loss)
	var err error
	if p.near, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at)); err != nil {
		return nil, err
	}
	if p.far, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), 0))); err == nil {
		p.listener, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.done.Add(3)
	go p.forward(0, p.near, func(datagram []byte) { _, _ = p.far.WriteToUDPAddrPort(datagram, p.to) })
	go p.forward(1, p.far, func(datagram []byte) {
		if caller := p.caller.Load(); caller != nil {
			_, _ = p.near.WriteToUDPAddrPort(datagram, *caller)
		}
	})
	go p.accept()
	return p, nil
}

// Lose changes the share of the datagrams that are lost from now on.
func (p *Path) Lose(share float64) { p.loss.Store(math.Float64bits(share)) }

// Counts are the datagrams that were passed on and lost, from who calls and from who
// is called.
func (p *Path) Counts() (sent, lost [2]uint64) {
	for i := range sent {
		sent[i], lost[i] = p.sent[i].Load(), p.lost[i].Load()
	}
	return sent, lost
}

// Close ends the path.
func (p *Path) Close() error {
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	for _, c := range []io.Closer{p.near, p.far} {
		if c != (*net.UDPConn)(nil) {
			_ = c.Close()
		}
	}
	if p.listener != nil {
		_ = p.listener.Close()
	}
	p.done.Wait()
	return nil
}

// late is a datagram on its way.
type late struct {
	at       time.Time
	datagram []byte
}

// forward reads one socket until it is closed.
func (p *Path) forward(way int, from *net.UDPConn, pass func([]byte)) {
	defer p.done.Done()
	random := rand.New(rand.NewPCG(p.kind.Seed, uint64(way)))
	waiting := make(chan late, 4096)
	p.done.Add(1)
	go func() {
		defer p.done.Done()
		for l := range waiting {
			time.Sleep(time.Until(l.at))
			pass(l.datagram)
		}
	}()
	defer close(waiting)
	buf := make([]byte, 1<<16)
	for {
		n, sender, err := from.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // somebody refused an earlier one
		}
		if way == 0 {
			p.caller.Store(&sender)
		}
		if random.Float64() < math.Float64frombits(p.loss.Load()) {
			p.lost[way].Add(1)
			continue
		}
		p.sent[way].Add(1)
		waiting <- late{time.Now().Add(p.kind.Delay), append([]byte(nil), buf[:n]...)}
	}
}

// accept forwards connections, at once: what is measured is not there.
func (p *Path) accept() {
	defer p.done.Done()
	// From where datagrams come: a session is with one address.
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.at, 0))}
	for {
		caller, err := p.listener.Accept()
		if err != nil {
			return
		}
		called, err := dialer.Dial("tcp4", p.to.String())
		if err != nil || !p.keep(caller, called) {
			_ = caller.Close()
			continue
		}
		p.done.Add(2)
		for _, pair := range [][2]net.Conn{{caller, called}, {called, caller}} {
			go func() {
				defer p.done.Done()
				_, _ = io.Copy(pair[0], pair[1])
				p.drop(caller, called)
			}()
		}
	}
}

func (p *Path) keep(connections ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range connections {
		p.open[c] = true
		if p.closed {
			_ = c.Close()
		}
	}
	return !p.closed
}

func (p *Path) drop(connections ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range connections {
		_ = c.Close()
		delete(p.open, c)
	}
}

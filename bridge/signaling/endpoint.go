package signaling

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"archibald-bridge/proto"
)

// Local describes this end as it is now. It is asked before every offer and
// every answer, since the audio server decides the rate. An error says that
// there is nothing to describe: the audio server is not up. Who returns it tells
// the log. Revision is filled in by the Endpoint.
type Local func() (proto.Description, error)

// Session is an agreed session.
type Session struct {
	ID        string // the same at both ends
	Agreement proto.Agreement
	// PeerAddr is where the peer's media socket is: the address at the other
	// end of the TCP connection, with the port of the peer's SDP. Media come from that
	// address, at whatever port: user networking rewrites that.
	PeerAddr netip.AddrPort
	// LocalAddr is our address at that connection, from which the peer expects our
	// media. The zero Addr, of a stream without a session: as the routes say.
	LocalAddr netip.Addr
	// Called says that this end made the offer.
	Called bool
}

// Handler is told of every session. Its methods are called from one goroutine,
// in turn: Up, then Down with the same id before the next Up. A session that
// ended before its Up was delivered is left out. They may call the Endpoint.
type Handler interface {
	Up(Session)
	Down(id, reason string)
}

// Config is what an Endpoint needs. All fields but Peer and Live are required.
type Config struct {
	Listen  netip.AddrPort // TCP; the media socket is expected on the same address. New needs none
	Peer    string         // HOST:PORT to call; "" only answers
	Local   Local
	Handler Handler
	Log     *slog.Logger
	Gate    Gate
	// Live says whether media of the session with that id flow. It is asked, from any
	// goroutine, whether another call may replace the session. nil: they never do.
	Live func(id string) bool
}

// State is what an Endpoint is doing.
type State string

// The states.
const (
	Idle    State = "idle"    // waits to be called
	Calling State = "calling" // calls the peer, or waits to try again
	Up      State = "up"
)

// Status is for display.
type Status struct {
	State     State
	LastError string // since the last session; "" for none
	Attempts  int    // calls since the last session
	Rejected  Rejected
}

// Endpoint is one end's part of the session protocol.
type Endpoint struct {
	config   Config
	listener net.Listener // nil: calls come in by a Switchboard
	entrance *entrance
	now      func() time.Time
	ssrc     func() uint32 // of the next offer or answer
	resolve  func(ctx context.Context, network, host string) ([]netip.Addr, error)

	wake    chan struct{} // to the calling goroutine: look again
	changed chan struct{} // to the delivering goroutine: look again

	mu           sync.Mutex // guards what follows
	closing      bool
	generation   uint64 // of the local description; an offer or answer of an older one is void
	revision     uint64 // of the last description sent
	session      *Session
	peerRevision uint64 // of the description that the peer gave for it
	upSince      time.Time
	check        bool // the peer is to be asked whether it still knows the session
	outgoing     *outgoing
	pace         pacer
	attempts     int
	lastID       string // of the last session that was up
	callErrors   errorLog
	deliveredID  string // of the session that the Handler knows
	endReason    string // why that one ended
}

// Listen opens the TCP socket. The Endpoint answers nothing before Run.
func Listen(config Config) (*Endpoint, error) {
	if config.Peer != "" {
		if _, _, err := net.SplitHostPort(config.Peer); err != nil {
			return nil, fmt.Errorf("peer %q: legal is HOST:PORT", config.Peer)
		}
	}
	listener, err := listen(config.Listen)
	if err != nil {
		return nil, err
	}
	e := New(config)
	e.listener = listener
	return e, nil
}

func listen(address netip.AddrPort) (net.Listener, error) {
	network := "tcp" // [::] is both families, as our media socket is
	if address.Addr().Unmap().Is4() {
		network = "tcp4" // 0.0.0.0 would be both, too
	}
	listener, err := net.ListenTCP(network, net.TCPAddrFromAddrPort(address))
	if err != nil {
		return nil, listenError(address, err)
	}
	return listener, nil
}

// New makes an Endpoint that listens nowhere: a Switchboard hands it its calls.
func New(config Config) *Endpoint {
	return &Endpoint{
		config:     config,
		entrance:   newEntrance(config.Gate, config.Log),
		now:        time.Now,
		ssrc:       randomSSRC,
		resolve:    net.DefaultResolver.LookupNetIP,
		wake:       make(chan struct{}, 1),
		changed:    make(chan struct{}, 1),
		pace:       pacer{random: rand.Float64},
		callErrors: newErrorLog(config.Log),
	}
}

// randomSSRC is what a session's media have (RFC 3550, section 8.1): nobody can guess it.
// 0 stands for none.
func randomSSRC() uint32 {
	var b [4]byte
	_, _ = cryptorand.Read(b[:]) // never fails (crypto/rand)
	return max(1, binary.BigEndian.Uint32(b[:]))
}

func listenError(address netip.AddrPort, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen %v: TCP port in use: another archibald-bridge or PulseAudio's module-native-protocol-tcp?", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen %v: this machine does not have that address", address)
	}
	return fmt.Errorf("listen %v: %s", address, cause(err))
}

// Addr is the TCP address listened on.
func (e *Endpoint) Addr() netip.AddrPort {
	return e.listener.Addr().(*net.TCPAddr).AddrPort()
}

// Run answers and calls until ctx ends, then hangs up, reports the session's
// end to the Handler and returns nil. It may be called once.
func (e *Endpoint) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	served := make(chan error, 1)
	closeServer := func() error { served <- nil; return nil }
	if e.listener != nil {
		server := newServer(e, e.entrance)
		closeServer = server.Close
		go func() {
			served <- serve(server, e.listener, e.entrance)
			cancel()
		}()
	}
	calling, delivering, stop := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(calling)
		e.callForEver(ctx)
	}()
	go func() {
		defer close(delivering)
		e.deliverForEver(stop)
	}()

	<-ctx.Done()
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	// The socket goes first: a peer that is told of the end may call at once.
	closeErr := closeServer()
	err := <-served
	<-calling
	e.end()
	close(stop)
	<-delivering
	return errors.Join(err, closeErr)
}

// Current returns the session that is up. The Handler may not have been told
// yet.
func (e *Endpoint) Current() (Session, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session == nil {
		return Session{}, false
	}
	return *e.session, true
}

// Drop forgets the session, if there is one, and calls again at once. For when
// its media have stopped for good.
func (e *Endpoint) Drop(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forget(reason)
}

// Check asks the peer, in the background, whether it still knows the session,
// and calls again if it does not or if nobody listens there. For when media have
// been silent for a while. Without Config.Peer there is nobody to ask.
func (e *Endpoint) Check() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.check = e.session != nil
	signal(e.wake)
}

// Renegotiate says that Local has changed. The session ends; with Config.Peer a
// new one is offered at once, else the peer finds out by its Check and offers.
func (e *Endpoint) Renegotiate() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.generation++
	e.forget("the local audio server changed")
	signal(e.wake)
}

// Rejected counts the calls that came to nothing.
func (e *Endpoint) Rejected() Rejected { return e.entrance.counts() }

// Status returns what the Endpoint is doing.
func (e *Endpoint) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{State: Idle, Rejected: e.entrance.counts()}
	switch {
	case e.session != nil:
		s.State = Up
	case e.config.Peer != "":
		s.State, s.LastError, s.Attempts = Calling, e.callErrors.text(), e.attempts
	default:
		s.LastError = e.entrance.lastRefusal()
	}
	return s
}

// deliverForEver tells the Handler about the session that is up now, not about
// every one on the way there: a peer that offers faster than the Handler works
// costs no memory.
func (e *Endpoint) deliverForEver(stop <-chan struct{}) {
	for {
		select {
		case <-e.changed:
			for e.deliver() {
			}
		case <-stop:
			for e.deliver() {
			}
			return
		}
	}
}

// deliver makes at most one call and says whether it made one.
func (e *Endpoint) deliver() bool {
	e.mu.Lock()
	session, known, reason := e.session, e.deliveredID, e.endReason
	switch {
	case known != "" && (session == nil || session.ID != known):
		e.deliveredID = ""
		e.mu.Unlock()
		e.config.Handler.Down(known, reason)
		return true
	case known == "" && session != nil:
		e.deliveredID = session.ID
		e.mu.Unlock()
		e.config.Handler.Up(*session)
		return true
	}
	e.mu.Unlock()
	return false
}

// signal wakes the goroutine that reads from c; one wake-up is as good as many.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

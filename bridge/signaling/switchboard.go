package signaling

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"archibald-bridge/proto"
)

// Switchboard answers at one address for several Endpoints.
type Switchboard struct {
	listener net.Listener
	entrance *entrance
	choose   func(proto.Description) (*Endpoint, error)

	mu        sync.Mutex // guards endpoints
	endpoints map[*Endpoint]struct{}
}

// ListenForMany opens the TCP socket. Choose says which of the connected Endpoints
// answers an offer; its error refuses the call (see NotNow). It is called from any
// goroutine.
func ListenForMany(address netip.AddrPort, gate Gate, log *slog.Logger, choose func(offer proto.Description) (*Endpoint, error)) (*Switchboard, error) {
	listener, err := listen(address)
	if err != nil {
		return nil, err
	}
	return &Switchboard{
		listener: listener, entrance: newEntrance(gate, log), choose: choose,
		endpoints: map[*Endpoint]struct{}{},
	}, nil
}

// NotNow is the refusal of a call that may be answered later.
func NotNow(text string) error { return &refusal{http.StatusServiceUnavailable, text} }

// NotSo is the refusal of an offer that does not fit.
func NotSo(text string) error { return &refusal{http.StatusConflict, text} }

// Connect lets the sessions of an Endpoint be asked for and hung up.
func (s *Switchboard) Connect(e *Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints[e] = struct{}{}
}

// Disconnect is the end of that.
func (s *Switchboard) Disconnect(e *Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.endpoints, e)
}

// Addr is the TCP address listened on.
func (s *Switchboard) Addr() netip.AddrPort {
	return s.listener.Addr().(*net.TCPAddr).AddrPort()
}

// Run answers until ctx ends.
func (s *Switchboard) Run(ctx context.Context) error {
	server := newServer(s, s.entrance)
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	return serve(server, s.listener, s.entrance)
}

// LastRefusal is why the last call was not answered; "" when none was refused.
func (s *Switchboard) LastRefusal() string { return s.entrance.lastRefusal() }

// Rejected counts the calls that came to nothing.
func (s *Switchboard) Rejected() Rejected { return s.entrance.counts() }

func (s *Switchboard) answering(offer proto.Description) (*Endpoint, error) { return s.choose(offer) }

func (s *Switchboard) knowing(id string) *Endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := range s.endpoints {
		if e.knowing(id) != nil {
			return e
		}
	}
	return nil
}

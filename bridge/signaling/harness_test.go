package signaling

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"archibald-bridge/proto"
)

// Two loopback addresses stand for two machines.
var (
	guestIP = netip.MustParseAddr("127.0.0.71")
	hostIP  = netip.MustParseAddr("127.0.0.72")
)

// freeAddr returns an address that nothing listens on, so that an end can be
// told of it before the other end is there.
func freeAddr(t *testing.T, ip netip.Addr) netip.AddrPort {
	t.Helper()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// event is a call of the Handler.
type event struct {
	up      bool
	session Session // of Up
	id      string
	reason  string // of Down
}

// end is an Endpoint that runs, with a Handler that writes down every event and
// a local description that can be changed.
type end struct {
	*Endpoint
	t      *testing.T
	cancel context.CancelFunc
	done   chan error

	mu     sync.Mutex
	local  proto.Description
	absent error // the audio server is not up
	events []event
	onUp   func(Session)
	logged []string
}

func describe(role proto.Role, name string) proto.Description {
	return proto.Description{
		Name: name, Role: role, Version: proto.Version, Port: proto.Port,
		Payloads: proto.Payloads(proto.Encodings...), RateHz: 48000,
		SendChannels: 2, ReceiveChannels: 2, PacketFrames: 32,
		SSRC: proto.SSRC(name, role), CNAME: "test", RTCPMux: true,
	}
}

// newEnd makes an end that does not run yet. peer may be the zero AddrPort.
func newEnd(t *testing.T, role proto.Role, listen, peer netip.AddrPort) *end {
	t.Helper()
	e := &end{t: t, done: make(chan error, 1), local: describe(role, "lab")}
	config := Config{
		Listen: listen,
		Local: func() (proto.Description, error) {
			e.mu.Lock()
			defer e.mu.Unlock()
			return e.local, e.absent
		},
		Handler: e,
		Log:     slog.New(slog.NewTextHandler(e, nil)),
		Gate:    Gate{Role: role, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	}
	if peer.IsValid() {
		config.Peer = peer.String()
	}
	var err error
	if e.Endpoint, err = Listen(config); err != nil {
		t.Fatal(err)
	}
	e.ssrc = func() uint32 {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.local.SSRC
	}
	t.Cleanup(func() { e.listener.Close() })
	return e
}

// start makes an end and runs it until the test is over.
func start(t *testing.T, role proto.Role, listen, peer netip.AddrPort) *end {
	t.Helper()
	return newEnd(t, role, listen, peer).run()
}

func (e *end) run() *end {
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	go func() { e.done <- e.Run(ctx) }()
	e.t.Cleanup(e.stop)
	return e
}

// stop ends the end as a program does that was asked to.
func (e *end) stop() {
	if e.cancel == nil {
		return
	}
	e.cancel()
	e.cancel = nil
	if err := <-e.done; err != nil {
		e.t.Errorf("Run: %v", err)
	}
}

// kill ends it as kill -9 does: it tells nobody.
func (e *end) kill() {
	e.Endpoint.mu.Lock()
	e.closing = true
	e.forget("killed")
	e.Endpoint.mu.Unlock()
	e.stop()
}

func (e *end) change(f func(*proto.Description)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f(&e.local)
}

func (e *end) setAbsent(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.absent = err
}

func (e *end) Up(s Session) {
	e.mu.Lock()
	e.events = append(e.events, event{up: true, session: s, id: s.ID})
	onUp := e.onUp
	e.mu.Unlock()
	if onUp != nil {
		onUp(s)
	}
}

func (e *end) Down(id, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, event{id: id, reason: reason})
}

// Write takes the log's lines.
func (e *end) Write(line []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logged = append(e.logged, string(line))
	return len(line), nil
}

func (e *end) log() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.logged...)
}

// history returns the events, after a check that they make sense.
func (e *end) history() []event {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, event := range e.events {
		if event.up != (i%2 == 0) || !event.up && event.id != e.events[i-1].id {
			e.t.Fatalf("events out of order: %+v", e.events)
		}
	}
	return append([]event(nil), e.events...)
}

// handled is the session that the Handler was told is up.
func (e *end) handled() string {
	events := e.history()
	if len(events) == 0 || !events[len(events)-1].up {
		return ""
	}
	return events[len(events)-1].id
}

// lastDown returns the reason of the last Down.
func (e *end) lastDown() string {
	events := e.history()
	for i := len(events) - 1; i >= 0; i-- {
		if !events[i].up {
			return events[i].reason
		}
	}
	return ""
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}

func (e *Endpoint) knows(id string) bool { return e.knowing(id) != nil }

// together says whether both ends, and both Handlers, have the same session.
func together(a, b *end) bool {
	s, up := a.Current()
	return up && b.knows(s.ID) && a.handled() == s.ID && b.handled() == s.ID
}

func waitTogether(t *testing.T, a, b *end) string {
	t.Helper()
	eventually(t, "one session at both ends", func() bool { return together(a, b) })
	s, _ := a.Current()
	return s.ID
}

func waitError(t *testing.T, e *end, want string) {
	t.Helper()
	eventually(t, "an error with "+want, func() bool { return strings.Contains(e.Status().LastError, want) })
}

var errAbsent = errors.New("audio server not running")

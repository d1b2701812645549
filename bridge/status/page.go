package status

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Page is the status page of an end, which is up before there is one: while the
// network or the announcement of a stream is waited for, and between one and the next.
type Page struct {
	waiting Status // without an end
	started time.Time
	missing func() string
	awaited atomic.Pointer[string]
	source  atomic.Pointer[Source] // nil: no end
	stop    func()
}

// codeNetwork is the kind of problem that the page adds to those of the end.
const codeNetwork = "network"

// OpenPage serves the status at an address, the zero AddrPort for none, until Close. End is
// "guest" or "host", of that name, and peer where it calls, as text. Missing is what is
// missing of the network, in one line; "": nothing. A status server that cannot listen is
// no reason to be without sound.
func OpenPage(end, name, peer string, at netip.AddrPort, log *slog.Logger, missing func() string) *Page {
	p := &Page{started: time.Now(), missing: missing, stop: func() {}, waiting: Status{
		End: end, Version: Version, Name: name,
		Audio:   Audio{State: AudioUnused},
		Session: Session{State: SessionWaiting, Peer: peer},
		Directions: Directions{
			Send: Direction{State: DirectionIdle}, Receive: Direction{State: DirectionIdle},
		},
	}}
	if !at.IsValid() {
		return p
	}
	server, err := p.listen(at, log)
	if err != nil {
		log.Warn("no status page", "reason", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { // an address of the network may come later, as the network does
		defer close(over)
		for errors.Is(err, syscall.EADDRNOTAVAIL) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
				server, err = p.listen(at, log)
			}
		}
	}()
	p.stop = func() {
		cancel()
		if <-over; server != nil {
			_ = server.Close()
		}
	}
	return p
}

func (p *Page) listen(address netip.AddrPort, log *slog.Logger) (*Server, error) {
	server, err := Listen(address, p.Status)
	if err == nil {
		log.Info("status page", "url", "http://"+server.Addr().String()+"/")
	}
	return server, err
}

// Show shows the state that source gives until hide is called.
func (p *Page) Show(source Source) (hide func()) {
	p.source.Store(&source)
	return func() { p.source.Store(nil) }
}

// Await says what is waited for while there is no end; "": nothing.
func (p *Page) Await(what string) { p.awaited.Store(&what) }

// Status is what the page shows.
func (p *Page) Status() Status {
	s := p.waiting
	s.UptimeSeconds = time.Since(p.started).Truncate(100 * time.Millisecond).Seconds()
	if what := p.awaited.Load(); what != nil {
		s.Session.LastError = *what
	}
	if source := p.source.Load(); source != nil {
		if now := (*source)(); now.End != "" { // else it begins to run
			s = now
		}
	}
	if missing := p.missing(); missing != "" {
		// Whatever else is wrong mostly comes of it.
		s.Session.LastError = strings.TrimSuffix(missing+"; "+s.Session.LastError, "; ")
		s.Problems = append([]Problem{{Code: codeNetwork, Side: SideSession, Text: missing}}, s.Problems...)
	}
	return s
}

// Close ends the page. Its address is free then.
func (p *Page) Close() { p.stop() }

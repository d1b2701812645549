package session

import (
	"fmt"
	"time"

	"archibald-bridge/bridge/signaling"
	"archibald-bridge/proto"
)

// peerEvent is what signaling found out, on its way to the end's goroutine.
type peerEvent struct {
	session *signaling.Session // nil: the session id is over
	id      string
	reason  string
}

// peerHandler turns signaling's calls into events.
type peerHandler struct {
	events chan<- peerEvent
	over   <-chan struct{} // nobody reads events any more
}

func (h peerHandler) Up(s signaling.Session) { h.pass(peerEvent{session: &s}) }

func (h peerHandler) Down(id, reason string) { h.pass(peerEvent{id: id, reason: reason}) }

func (h peerHandler) pass(event peerEvent) {
	select {
	case h.events <- event:
	case <-h.over:
	}
}

// endpoint is what an end asks of signaling.Endpoint once that runs.
type endpoint interface {
	Current() (signaling.Session, bool)
	Status() signaling.Status
	Check()
	Drop(reason string)
	Renegotiate()
	Rejected() signaling.Rejected
}

func (e *End) signalingConfig() signaling.Config {
	return signaling.Config{
		Listen:  e.settings.Listen,
		Peer:    e.settings.Peer.String(),
		Local:   e.describeItself,
		Handler: peerHandler{e.peerEvent, e.over},
		Log:     e.log,
		Gate:    signaling.Gate{Role: e.settings.Role, Allow: e.settings.Allow, Secret: e.settings.Secret},
		Live:    e.live,
	}
}

// expected is until when the peer of a session counts as there.
type expected struct {
	session string
	untilNs int64
	came    bool // anything of it has
}

// unlookedAfter is how long the end's goroutine may be busy, or without a processor,
// before what it knows of the peer is old.
const unlookedAfter = 5 * tick

// live says whether the peer of a session that is up is there, from any goroutine. The peer
// of a new session counts as there. It also counts when this end had no time to look: that
// is no reason to give its session to another.
func (e *End) live(id string) bool {
	x, nowNs := e.expected.Load(), e.clock.monotonicNs()
	return x == nil || x.session != id || nowNs < x.untilNs || time.Duration(nowNs-e.lookedNs.Load()) > unlookedAfter
}

// expect notes that the peer was there at a moment, and counts as there for some time.
func (e *End) expect(ns int64, patience time.Duration) {
	e.expected.Store(&expected{e.session.ID, ns + int64(patience), e.streams.peer.came})
}

// Heard says whether anything of the last session's peer has come, from any goroutine: it
// was there, and did not only call.
func (e *End) Heard() bool {
	x := e.expected.Load()
	return x != nil && x.came
}

// describeItself is this end's description for signaling, from any goroutine. Before the
// first attempt at the audio server has ended, nobody knows whether it runs.
func (e *End) describeItself() (proto.Description, error) {
	select {
	case <-e.tried:
	case <-e.over:
	}
	d := e.local.Load()
	if d == nil {
		if reason := e.missing.Load(); reason != nil {
			return proto.Description{}, fmt.Errorf("no audio on the %s: %s", e.settings.Role, *reason)
		}
		return proto.Description{}, fmt.Errorf("%s is not running on the %s", e.server, e.settings.Role)
	}
	return *d, nil
}

func (e *End) peerChanged(event peerEvent) {
	if event.session == nil {
		if e.session == nil || e.session.ID != event.id {
			return
		}
		e.futile.log(e, "session over", "peer", e.session.PeerAddr, "reason", event.reason)
		e.sessionOver()
		return
	}
	if e.session != nil {
		e.sessionOver()
	}
	e.session, e.toldUp, e.sessionNs = event.session, false, e.clock.monotonicNs()
	e.sessions++
	e.begin()
	e.expect(e.clock.monotonicNs(), checkAfter)
	e.startStreams()
}

func (e *End) sessionOver() {
	e.stopStreams()
	e.conclude()
	e.session = nil
}

// conclude takes note, once, of what a session came to whose streams have ended.
func (e *End) conclude() {
	if e.sessionNs != 0 {
		e.futile.over(e.streams.peer.came, time.Duration(e.clock.monotonicNs()-e.sessionNs))
		e.sessionNs = 0
	}
}

// drop gives the session up. The streams stop at once, so that this is done once
// only; the endpoint may have another session by now, which is left alone.
func (e *End) drop(reason string) {
	e.stopStreams()
	e.conclude()
	if now, up := e.signaling.Current(); up && now.ID == e.session.ID {
		e.signaling.Drop(reason)
	}
}

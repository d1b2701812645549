package signaling

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"archibald-bridge/proto"
)

// outgoing is an offer of ours from before it is sent until its answer is read:
// as long as the peer may accept it.
type outgoing struct {
	ssrc uint32 // ours, of this offer
	// The last offer that was accepted in the meantime.
	acceptedName     string
	acceptedRevision uint64 // 0: none was
}

// refusal is why an offer is not accepted.
type refusal struct {
	status int
	text   string // one line
}

func (r *refusal) Error() string { return r.text }

// glare is the text of the refusal of an offer that crossed ours.
const glare = "glare"

// alreadyConnected begins the text of the refusal of an offer that would replace a
// session.
const alreadyConnected = "already connected"

var (
	errClosing = &refusal{http.StatusServiceUnavailable, "shutting down"}
	errStale   = &refusal{http.StatusServiceUnavailable, "the audio server is changing: try again"}
	errGlare   = &refusal{http.StatusConflict, glare}

	errSecretWanted = &refusal{http.StatusUnauthorized, "a secret is to be proved here: give both ends the same --secret-file"}
	errOtherSecret  = &refusal{http.StatusForbidden, "the secret is another one here: give both ends the same --secret-file"}
	errNoSecretHere = &refusal{http.StatusForbidden, "there is no secret here to prove: give both ends the same --secret-file"}
)

// begin marks an offer of ours as under way and returns it with its revision.
// ok is false when there is no longer a reason to call.
func (e *Endpoint) begin(offer proto.Description, generation uint64) (proto.Description, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing || e.session != nil || e.generation != generation {
		return offer, false
	}
	e.outgoing = &outgoing{ssrc: offer.SSRC}
	offer.Revision = e.nextRevision()
	return offer, true
}

// abort ends an offer of ours that was refused or got no acceptable answer. In
// the latter case the peer may have accepted it all the same: a session that
// came up here in the meantime is then checked.
func (e *Endpoint) abort(refused bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outgoing = nil
	if !refused && e.session != nil {
		e.check = true
	}
}

// finish puts the session into force that the peer's answer to our offer
// states. It returns false when that session is unwanted and the peer should be
// told.
func (e *Endpoint) finish(s Session, answerRevision, generation uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	call := e.outgoing
	e.outgoing = nil
	switch {
	case e.closing:
		return false
	case call.acceptedName == s.Agreement.PeerName && call.acceptedRevision > answerRevision:
		return true // the peer has since made the offer that we accepted
	case e.session != nil && e.session.Agreement.PeerName != s.Agreement.PeerName:
		return false // another peer came first
	case e.generation != generation:
		// Void, and what the peer has now: the next offer replaces it there.
		e.forget("the local audio server changed")
		return true
	}
	e.install(s, answerRevision)
	return true
}

// accept puts the session into force that the peer offered and we answered, and
// returns the answer with its revision, or a refusal.
func (e *Endpoint) accept(s Session, offer, answer proto.Description, generation uint64, c call) (proto.Description, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closing:
		return answer, errClosing
	case e.session != nil && e.session.Agreement.PeerName != offer.Name:
		return answer, e.busy()
	case e.outgoing != nil && e.wins(offer), e.overtaken(offer):
		return answer, errGlare
	case e.generation != generation:
		return answer, errStale
	case e.session != nil && !e.replaceable(c):
		return answer, e.busy()
	}
	if e.outgoing != nil {
		e.outgoing.acceptedName, e.outgoing.acceptedRevision = offer.Name, offer.Revision
	}
	e.install(s, offer.Revision)
	answer.Revision = e.nextRevision()
	return answer, nil
}

// wins says whether our offer under way goes before that of the peer: both ends come to
// the same result. Needs e.mu.
func (e *Endpoint) wins(offer proto.Description) bool {
	if e.outgoing.ssrc != offer.SSRC {
		return e.outgoing.ssrc < offer.SSRC
	}
	return offer.Role == proto.Host
}

// replaceable says whether a call may replace the session that is up. While its media
// flow only its own peer may, who knows its id or proves the secret. A peer that was
// killed knows neither when it comes back, but its media have stopped. Needs e.mu.
func (e *Endpoint) replaceable(c call) bool {
	return c.proven || c.replaces == e.session.ID || e.config.Live == nil || !e.config.Live(e.session.ID)
}

// busy refuses an offer while a peer is connected. Needs e.mu.
func (e *Endpoint) busy() *refusal {
	peer := string(e.session.Agreement.PeerRole)
	if name := e.session.Agreement.PeerName; name != "" {
		peer += fmt.Sprintf(" %q", name)
	}
	return &refusal{http.StatusConflict, alreadyConnected + " to the " + peer}
}

// hungUp ends the session at the peer's wish. It says whether it was up.
func (e *Endpoint) hungUp(id, reason string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session == nil || e.session.ID != id {
		return false
	}
	e.forget(reason)
	return true
}

// overtaken says that the peer made this offer before it agreed to the present
// session: it was still on its way then. Only for a short while, since a peer
// that restarts may come back with its clock set back. Needs e.mu.
func (e *Endpoint) overtaken(offer proto.Description) bool {
	return e.session != nil && e.session.Agreement.PeerName == offer.Name &&
		offer.Revision < e.peerRevision && e.now().Sub(e.upSince) < readTimeout
}

// install makes s the session; the peer's part in it was the description with
// peerRevision. Needs e.mu.
func (e *Endpoint) install(s Session, peerRevision uint64) {
	if e.session != nil {
		e.forget("replaced")
	}
	e.session, e.peerRevision, e.upSince = &s, peerRevision, e.now()
	e.check, e.attempts = false, 0
	e.lastID = s.ID
	e.callErrors.clear()
	e.entrance.satisfied()
	signal(e.changed)
	signal(e.wake)
}

// forget ends the session, if there is one. Needs e.mu.
func (e *Endpoint) forget(reason string) {
	if e.session == nil {
		return
	}
	if e.session.ID == e.deliveredID {
		e.endReason = reason
	}
	if e.now().Sub(e.upSince) >= stableAfter {
		e.pace.reset()
	}
	e.session, e.check = nil, false
	signal(e.changed)
	signal(e.wake)
}

// nextRevision numbers descriptions, so that the later of two is known, also
// across a restart. Needs e.mu.
func (e *Endpoint) nextRevision() uint64 {
	e.revision = max(e.revision+1, uint64(e.now().UnixNano()))
	return e.revision
}

func mediaAddress(peer netip.AddrPort, port int) netip.AddrPort {
	return netip.AddrPortFrom(peer.Addr().Unmap(), uint16(port))
}

// addressOf is the address of one end of a TCP connection.
func addressOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || tcp == nil {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

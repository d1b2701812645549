package signaling

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"archibald-bridge/proto"
)

// callForEver calls the peer while there is no session, and asks it about the
// session when that is wanted.
func (e *Endpoint) callForEver(ctx context.Context) {
	if host, _, err := net.SplitHostPort(e.config.Peer); err == nil {
		// The peer may call before we can; a name that is not found is looked up again.
		_, _ = e.learnPeer(ctx, host)
	}
	for ctx.Err() == nil {
		switch id, step, delay := e.next(); step {
		case stepRest:
			select {
			case <-e.wake:
			case <-ctx.Done():
			}
		case stepWait:
			timer := time.NewTimer(delay)
			select {
			case <-timer.C:
			case <-e.wake:
			case <-ctx.Done():
			}
			timer.Stop()
		case stepCall:
			err := e.call(ctx)
			if ctx.Err() != nil {
				return
			}
			e.called(err)
		case stepCheck:
			e.checked(id, e.ask(ctx, id))
		}
	}
}

type step int

const (
	stepRest step = iota
	stepWait
	stepCall
	stepCheck
)

// next decides what the calling goroutine does next.
func (e *Endpoint) next() (id string, s step, delay time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch delay := e.pace.delay(e.now()); {
	case e.config.Peer == "", e.session != nil && !e.check:
		return "", stepRest, 0
	case delay > 0:
		return "", stepWait, delay
	case e.session != nil:
		return e.session.ID, stepCheck, 0
	}
	return "", stepCall, 0
}

// local asks for the local description, and numbers it so that a change of it
// in the meantime is noticed. Its media get an SSRC of their own.
func (e *Endpoint) local() (proto.Description, uint64, error) {
	e.mu.Lock()
	generation := e.generation
	e.mu.Unlock()
	local, err := e.config.Local()
	local.SSRC = e.ssrc()
	return local, generation, err
}

// call makes one call. It returns nil also when a session came up otherwise, or
// when there is no longer a reason to call.
func (e *Endpoint) call(ctx context.Context) error {
	local, generation, err := e.local()
	if err != nil {
		return &notReady{err}
	}
	conn, err := e.converse(ctx, connectTimeout)
	if err != nil {
		return e.peerError(err)
	}
	defer conn.Close()
	// Only from here on can the peer accept: an offer of its own that came in
	// while we were connecting is not glare.
	offer, ok := e.begin(local, generation)
	if !ok {
		return nil
	}
	session, revision, err := e.offer(ctx, conn, offer)
	if err != nil {
		e.abort(errors.As(err, new(*refusal)))
		return e.peerError(err)
	}
	if !e.finish(session, revision, generation) {
		e.hangUp(session.ID)
	}
	return nil
}

// notReady says that this end cannot call. It knows why, and has told it.
type notReady struct{ error }

// called takes note of the outcome of a call.
func (e *Endpoint) called(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pace.called(e.now())
	if err == nil || e.session != nil {
		return
	}
	e.attempts++
	if errors.Is(err, errGlare) {
		return // the peer's own offer is on its way
	}
	if r := new(refusal); errors.As(err, &r) && strings.HasPrefix(r.text, alreadyConnected) && e.attempts < soonOver {
		return // to our own session, it may be: when its media have stopped, it is over
	}
	if errors.As(err, new(*notReady)) {
		e.callErrors.last = err.Error()
		return
	}
	e.callErrors.note(err.Error())
}

// soonOver is how many calls in a row may find the peer in an earlier session of ours
// before that is told: half a second of them.
const soonOver = 4

// errUnknown says that the peer does not know a session.
var errUnknown = errors.New("the peer no longer knows the session")

// ask asks the peer whether it knows a session. nil says that it does.
func (e *Endpoint) ask(ctx context.Context, id string) error {
	conn, err := e.converse(ctx, connectTimeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	reply, err := e.exchange(ctx, conn, http.MethodGet, "/session/"+id, http.Header{"Connection": {"close"}}, nil)
	switch {
	case err != nil:
		return err
	case reply.status == http.StatusNotFound:
		return errUnknown
	case reply.status != http.StatusOK:
		return fmt.Errorf("HTTP status %d", reply.status)
	}
	return nil
}

// checked takes note of the peer's answer. No answer at all proves nothing: the
// machine may be paused. It is asked again.
func (e *Endpoint) checked(id string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session == nil || e.session.ID != id {
		return
	}
	switch {
	case err == nil:
		e.check = false
	case errors.Is(err, errUnknown), errors.Is(err, syscall.ECONNREFUSED):
		e.forget(cause(err))
	default:
		e.pace.called(e.now())
	}
}

// end hangs up when this end closes.
func (e *Endpoint) end() {
	if s, up := e.Current(); up {
		e.hangUp(s.ID)
		e.hungUp(s.ID, "closed")
	}
}

// hangUp tells the peer that a session is over, if that can be done quickly.
func (e *Endpoint) hangUp(id string) {
	if e.config.Peer == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangUpTimeout)
	defer cancel()
	conn, err := e.converse(ctx, hangUpTimeout)
	if err != nil {
		return // then it finds out by itself
	}
	defer conn.Close()
	header := http.Header{"Connection": {"close"}}
	if secret := e.entrance.Secret; secret != nil {
		credentials{proof: goodbyeProof(secret, id)}.write(header, headAuth)
	}
	e.exchange(ctx, conn, http.MethodDelete, "/session/"+id, header, nil)
}

func (e *Endpoint) peerError(err error) error {
	if r := new(refusal); errors.As(err, &r) {
		if r.text == glare {
			return errGlare
		}
		return fmt.Errorf("peer %s refused: %w", e.config.Peer, r)
	}
	return fmt.Errorf("peer %s: %s", e.config.Peer, cause(err))
}

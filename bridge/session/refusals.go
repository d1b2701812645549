package session

import (
	"time"

	"archibald-bridge/bridge/stream"
)

const (
	refusalRetryLeast = 500 * time.Millisecond
	refusalRetryMost  = 30 * time.Second

	forgetMost = 30 * time.Second
)

// refusals are why directions that were agreed on cannot work here, while they cannot.
// They are tried again within the session: less and less often, since what is missing
// (a route, memory, a codec) seldom comes back at once.
type refusals struct{ send, receive error }

func (e *End) refused() refusals {
	return refusals{e.streams.send.Refused(), e.streams.receive.Refused()}
}

func (r refusals) none() bool { return r.send == nil && r.receive == nil }

// reason is one line, "" when nothing was refused.
func (r refusals) reason() string {
	switch {
	case r.none():
		return ""
	case r.send == nil:
		return "cannot receive: " + r.receive.Error()
	case r.receive == nil:
		return "cannot send: " + r.send.Error()
	case r.send.Error() == r.receive.Error():
		return "cannot send or receive: " + r.send.Error()
	}
	return "cannot send: " + r.send.Error() + "; cannot receive: " + r.receive.Error()
}

// retry is when the next attempt at what was refused is due.
type retry struct {
	atNs    int64
	backoff time.Duration
}

// wait puts it off.
func (r *retry) wait(nowNs int64) {
	r.backoff = min(max(2*r.backoff, refusalRetryLeast), refusalRetryMost)
	r.atNs = nowNs + int64(r.backoff)
}

// tryAgain makes the next attempt at a direction that was refused, when it is time.
func (e *End) tryAgain(nowNs int64) {
	refused, s := e.refused(), &e.streams
	if refused.none() {
		e.settled() // it may have been mended by what followed the peer or the graph
		return
	}
	if nowNs < s.retry.atNs {
		return
	}
	if e.drive.err != nil {
		e.drivePart()
	}
	if refused.receive != nil {
		e.startReceiver()
	}
	if refused.send != nil {
		e.startSender()
	}
	s.retry.wait(nowNs)
	if e.refused().none() {
		s.notePeer()
		e.awaitPeer(nowNs)
	}
	e.settled()
}

// settled says once of each session that it is up: every direction that was agreed
// on can work.
func (e *End) settled() {
	s := &e.streams
	if !s.running || !e.refused().none() {
		return
	}
	s.retry.backoff = 0
	e.everPeer = true
	if e.toldUp || e.settings.Static {
		return
	}
	e.toldUp = true
	a := e.session.Agreement
	attributes := []any{"peer", e.session.PeerAddr, "send", a.Send, "receive", a.Receive,
		"redundancy", a.Redundancy.Copies, "redundancy_distance", a.Redundancy.Distance}
	if e.lock() != stream.Unlocked {
		attributes = append(attributes, "leader", a.Leader, "period_frames", a.PeriodFrames)
	}
	e.futile.log(e, "session up", attributes...)
}

// futile counts sessions in a row in which nothing was ever heard of the peer. The
// next one gets more time, and the log is not filled with them.
type futile struct{ sessions int }

// patience is how long nothing may come before the session is over.
func (f futile) patience() time.Duration {
	return min(forgetAfter<<min(f.sessions, 8), forgetMost)
}

// log says what every session says, once a minute while they are futile, or many.
func (f futile) log(e *End, message string, attributes ...any) {
	now := e.clock.monotonicNs()
	if f.sessions == 0 && e.told.few(message, now) || e.told.again(message, now) {
		e.log.Info(message, attributes...)
	}
}

// over takes note of how a session ended.
func (f *futile) over(came bool, lasted time.Duration) {
	switch {
	case came:
		f.sessions = 0
	case lasted > forgetAfter/2:
		f.sessions++
	}
}

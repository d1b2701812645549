package jack

// #include "errors.h"
// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"archibald-bridge/bridge/audio"
)

// patience is how long a caller waits for one call of libjack, its own or another's:
// libjack itself waits forever for a server that is alive but stopped.
const patience = 2 * time.Second

// libjack is called by one goroutine at a time: it keeps its state per process, and what
// one end's clients do in it concerns those of all others (see workarounds.go).
var libjack = library{turn: make(chan struct{}, 1), open: map[*clients]struct{}{}}

type library struct {
	turn chan struct{}         // holds one token while a call is being made
	open map[*clients]struct{} // of all ends; for the holder of turn

	mu    sync.Mutex
	since time.Time // when the call was made that has not returned; zero: there is none
}

// call runs f, which calls libjack, after every earlier one has returned, and
// returns nil when f has. When a call takes longer than patience it returns an error
// instead; f then goes on running by itself if its turn had come.
//
// f runs with every signal blocked: the threads that libjack starts in it
// inherit that, and Go's handlers can never run on them.
func (s *Server) call(f func()) error {
	if !libjack.takeTurn() {
		return s.silent()
	}
	libjack.began(time.Now())
	done := make(chan struct{})
	go func() {
		defer func() { libjack.began(time.Time{}); <-libjack.turn; close(done) }()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var before C.sigset_t
		C.archibald_jack_block_signals(&before)
		defer C.archibald_jack_restore_signals(&before)
		f()
		libjack.noticeDeletion()
		s.tellMessages()
	}()
	select {
	case <-done:
		return nil
	case <-time.After(patience):
		return s.silent()
	}
}

// takeTurn waits for it as long as libjack answers others: where many ends close at once,
// each of their calls is short, and the last has to wait for all.
func (l *library) takeTurn() bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		select {
		case l.turn <- struct{}{}:
			return true
		case <-deadline.C:
			left := patience - l.waited()
			if left <= 0 {
				return false
			}
			deadline.Reset(left)
		}
	}
}

// noticeDeletion tells the ends whose clients libjack deleted in the call of another one. It
// deletes all of the process when one comes back that lost its connection, be the server
// dead or not. It is for the holder of turn.
func (l *library) noticeDeletion() {
	for c := range l.open {
		c.noticeDeletion()
	}
}

// began notes when the call was made that has not returned; zero: none.
func (l *library) began(at time.Time) {
	l.mu.Lock()
	l.since = at
	l.mu.Unlock()
}

// waited is how long the call that has not returned takes by now; 0: there is none.
func (l *library) waited() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since.IsZero() {
		return 0
	}
	return time.Since(l.since)
}

// silent is the error of a caller that has waited for that long.
func (s *Server) silent() error {
	if libjack.waited() > s.hopelessAfter {
		return fmt.Errorf("JACK server %q has not answered for %s: %w", s.name, s.hopelessAfter, audio.ErrStartAnew)
	}
	return fmt.Errorf("JACK server %q does not answer", s.name)
}

// tellMessages writes what libjack said by itself into the log: most of it is about what
// the bridge says in its own words, and waits for. It is for the holder of libjack.turn.
func (s *Server) tellMessages() {
	var message [256]C.char
	for C.archibald_jack_take_message(&message[0], C.size_t(len(message))) != 0 {
		s.log.Debug("libjack", "server", s.name, "message", oneLine(C.GoString(&message[0])))
	}
}

// oneLine makes one line of a message.
func oneLine(message string) string { return strings.Join(strings.Fields(message), " ") }

package jack

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"time"

	"archibald-bridge/bridge/audio"
)

// patience is how long a caller waits for libjack, which itself waits for ever
// for a server that is alive but stopped.
const patience = 2 * time.Second

// hopelessAfter is how long libjack may take before this process gives up. It can
// lock up for good when clients come and go: closing one, it cancels a thread that may
// hold a lock.
const hopelessAfter = 30 * time.Second

// call runs f, which calls libjack, after every earlier one has returned, and
// returns nil when f has. After patience it returns an error instead; f then
// runs, or goes on running, by itself if its turn had come.
//
// f runs with every signal blocked: the threads that libjack starts in it
// inherit that, and Go's handlers can never run on them.
func (s *Server) call(f func()) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case s.turn <- struct{}{}:
	case <-deadline.C:
		return s.silent()
	}
	s.began(time.Now())
	done := make(chan struct{})
	go func() {
		defer func() { s.began(time.Time{}); <-s.turn; close(done) }()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var before C.sigset_t
		C.archibald_jack_block_signals(&before)
		defer C.archibald_jack_restore_signals(&before)
		f()
	}()
	select {
	case <-done:
		return nil
	case <-deadline.C:
		return s.silent()
	}
}

// began notes when the call was made that has not returned; zero: none.
func (s *Server) began(at time.Time) {
	s.mu.Lock()
	s.since = at
	s.mu.Unlock()
}

// silent is the error of a caller that has waited for so long.
func (s *Server) silent() error {
	s.mu.Lock()
	since := s.since
	s.mu.Unlock()
	if !since.IsZero() && time.Since(since) > s.hopelessAfter {
		return fmt.Errorf("JACK server %q has not answered for %s: %w", s.name, s.hopelessAfter, audio.ErrStartAnew)
	}
	return fmt.Errorf("JACK server %q does not answer", s.name)
}

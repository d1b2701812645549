package jack

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"time"
)

// patience is how long a caller waits for libjack, which itself waits for ever
// for a server that is alive but stopped.
const patience = 2 * time.Second

// call runs f, which calls libjack, after every earlier one has returned, and
// returns nil when f has. After patience it returns an error instead; f then
// runs, or goes on running, by itself if its turn had come.
//
// f runs with every signal blocked: the threads that libjack starts in it
// inherit that, and Go's handlers can never run on them.
func (s *Server) call(f func()) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	silent := fmt.Errorf("JACK server %q does not answer", s.name)

	select {
	case s.turn <- struct{}{}:
	case <-deadline.C:
		return silent
	}
	done := make(chan struct{})
	go func() {
		defer func() { <-s.turn; close(done) }()
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
		return silent
	}
}

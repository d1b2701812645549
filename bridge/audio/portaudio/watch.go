//go:build portaudio

package portaudio

// #include "shim.h"
import "C"

import (
	"time"

	"archibald-bridge/bridge/session"
)

const (
	watchInterval = 100 * time.Millisecond
	// deadAfter is how long a stream may have no cycle: twice the longest period
	// at 8 kHz.
	deadAfter = 2 * time.Second
)

// watcher looks after a running stream. PortAudio tells nobody that a device is
// gone: the stream has ended by itself, or its callback is no longer called.
type watcher struct {
	quit, done chan struct{}
}

func startWatching(shim *C.archibald_portaudio, events chan<- session.AudioEvent) *watcher {
	w := &watcher{quit: make(chan struct{}), done: make(chan struct{})}
	go w.run(shim, events)
	return w
}

func (w *watcher) run(shim *C.archibald_portaudio, events chan<- session.AudioEvent) {
	defer close(w.done)
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	cycles, since := C.archibald_portaudio_cycles(shim), time.Now()
	for {
		select {
		case <-w.quit:
			return
		case <-ticker.C:
		}
		if now := C.archibald_portaudio_cycles(shim); now != cycles {
			cycles, since = now, time.Now()
		}
		if C.archibald_portaudio_runs(shim) == 1 && time.Since(since) < deadAfter {
			continue
		}
		select {
		case events <- session.AudioLost:
		case <-w.quit:
		}
		return
	}
}

// stop returns when the stream is not looked at any more.
func (w *watcher) stop() {
	close(w.quit)
	<-w.done
}

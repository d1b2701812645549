//go:build portaudio

package portaudio

// #include "shim.h"
import "C"

import (
	"time"

	"archibald-bridge/bridge/audio"
)

const (
	watchInterval = 100 * time.Millisecond
	// deadAfter is how long a stream may have no cycle: twice the longest period
	// at 8 kHz.
	deadAfter = 2 * time.Second
)

// startWatching looks after a running stream. PortAudio tells nobody that a device is
// gone: the stream has ended by itself, or its callback is no longer called.
func startWatching(shim *C.archibald_portaudio, events chan<- audio.Event) *audio.Watch {
	return audio.StartWatch(events, func(w *audio.Watch) {
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		cycles, since := C.archibald_portaudio_cycles(shim), time.Now()
		for {
			select {
			case <-w.Quit():
				return
			case <-ticker.C:
			}
			if now := C.archibald_portaudio_cycles(shim); now != cycles {
				cycles, since = now, time.Now()
			}
			if C.archibald_portaudio_runs(shim) == 1 && time.Since(since) < deadAfter {
				continue
			}
			w.Send(audio.Lost)
			return
		}
	})
}

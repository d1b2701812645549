package pipewire

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/session"
)

// watcher turns writes to an eventfd, which a C thread may make, into events.
type watcher struct {
	fd      int
	file    *os.File
	quit    chan struct{}
	stopped chan struct{}
}

func newWatcher() (*watcher, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return &watcher{
		fd:      fd,
		file:    os.NewFile(uintptr(fd), "eventfd"),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
	}, nil
}

func (w *watcher) start(shim *C.archibald_pipewire, events chan<- session.AudioEvent) {
	go func() {
		defer close(w.stopped)
		lost := false
		var counter [8]byte
		for {
			if _, err := w.file.Read(counter[:]); err != nil {
				return
			}
			happened := C.archibald_pipewire_take_events(shim)
			if happened.changed {
				C.archibald_pipewire_follow_rate(shim)
				if !w.send(events, session.AudioChanged) {
					return
				}
			}
			// Both streams and the core complain of one death.
			if bool(happened.lost) && !lost {
				lost = true
				if !w.send(events, session.AudioLost) {
					return
				}
			}
		}
	}()
}

func (w *watcher) send(events chan<- session.AudioEvent, event session.AudioEvent) bool {
	select {
	case events <- event:
		return true
	case <-w.quit:
		return false
	}
}

// stop ends the goroutine; the eventfd stays open for the C side.
func (w *watcher) stop() {
	close(w.quit)
	_ = w.file.SetReadDeadline(time.Unix(1, 0)) // long past: Read returns at once
	<-w.stopped
}

func (w *watcher) close() { _ = w.file.Close() }

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

	"archibald-bridge/bridge/audio"
)

// watcher turns writes to an eventfd, which a C thread may make, into events.
type watcher struct {
	fd    int
	file  *os.File
	watch *audio.Watch
}

func newWatcher() (*watcher, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	return &watcher{fd: fd, file: os.NewFile(uintptr(fd), "eventfd")}, nil
}

func (w *watcher) start(shim *C.archibald_pipewire, events chan<- audio.Event) {
	w.watch = audio.StartWatch(events, func(watch *audio.Watch) {
		lost := false
		var counter [8]byte
		for {
			if _, err := w.file.Read(counter[:]); err != nil {
				return
			}
			happened := C.archibald_pipewire_take_events(shim)
			if happened.runs {
				C.archibald_pipewire_begin_to_drive(shim)
			}
			if happened.changed {
				C.archibald_pipewire_follow_rate(shim)
				if !watch.Send(audio.Changed) {
					return
				}
			}
			// Both streams and the core complain of one death.
			if bool(happened.lost) && !lost {
				lost = true
				if !watch.Send(audio.Lost) {
					return
				}
			}
		}
	})
}

// stop ends the goroutine; the eventfd stays open for the C side.
func (w *watcher) stop() {
	w.watch.Stop(func() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) }) // long past: Read returns at once
}

func (w *watcher) close() { _ = w.file.Close() }

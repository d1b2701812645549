//go:build portaudio

package portaudio

/*
#cgo CFLAGS: -std=gnu11 -fvisibility=hidden -O2 -Wall -I${SRCDIR}/../../rt
#cgo linux LDFLAGS: -ldl
#cgo pkg-config: portaudio-2.0
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"sync"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// Built says whether this program has PortAudio.
const Built = true

// tryAgainAfter is how long a failed attempt counts for the ones after it: each
// one opens every device of the machine to see what is there.
const tryAgainAfter = 2 * time.Second

// threadPriority is what the audio thread is to have: above everything ordinary,
// below JACK and PipeWire where the device is one of theirs.
const threadPriority = 60

// errDeadJACK is what cannot be undone: PortAudio (19.6, and its later source)
// waits ten minutes for a JACK server that has died to let go of its stream.
var errDeadJACK = fmt.Errorf("PortAudio cannot leave a JACK server that has died: %w", audio.ErrStartAnew)

// Server is an audio.Server for one output and one input device. Its
// methods may be called from any goroutine.
type Server struct {
	core    stream.Callbacks
	options audio.Options
	events  chan audio.Event

	// Only for the library's thread.
	initialized bool
	onJACK      bool // the open stream is
	stuck       bool

	mu       sync.Mutex // guards what follows
	shim     *C.archibald_portaudio
	watch    *audio.Watch // of shim
	graph    audio.Graph
	xruns    uint64 // of earlier streams
	failure  error  // of the last attempt; nil: it succeeded
	failedAt time.Time
}

var _ audio.Server = (*Server)(nil)

// The header that the C files of this package include belongs to bridge/rt, and
// Go's build cache does not see it change. This constant does.
const _ = rt.HeaderHash

// Opener makes a closed Server.
func Opener(core stream.Callbacks, options audio.Options) (audio.Server, error) {
	return &Server{core: core, options: options, events: make(chan audio.Event)}, nil
}

// Open looks for the devices, opens and starts them. Any error can be transient:
// a device may be plugged in again. RateHz 0 asks for the usual rate.
func (s *Server) Open(config audio.Config) (audio.Graph, error) {
	s.mu.Lock()
	failure, recent := s.failure, time.Since(s.failedAt) < tryAgainAfter
	s.mu.Unlock()
	if failure != nil && recent {
		return audio.Graph{}, failure
	}
	var graph audio.Graph
	var opened error
	err := lib.call(func() {
		s.close() // what an Open that was given up left behind
		if s.stuck {
			opened = errDeadJACK
			return
		}
		if graph, opened = s.open(config); opened != nil {
			s.close()
		}
	})
	if err == nil {
		err = opened
	}
	s.mu.Lock()
	s.failure, s.failedAt = err, time.Now()
	s.mu.Unlock()
	return graph, err
}

// open is for the library's thread, with nothing open.
func (s *Server) open(config audio.Config) (audio.Graph, error) {
	plan, err := s.find(config, false)
	if err != nil {
		plan, err = s.find(config, true)
	}
	if err != nil {
		return audio.Graph{}, err
	}
	s.onJACK = plan.leader().HostAPI == jackAPI
	var code C.PaError
	shim := C.archibald_portaudio_open((*C.archibald_engine)(s.core.Engine), C.archibald_playout_fn(s.core.Playout),
		C.archibald_capture_fn(s.core.Capture), plan.c(), &code)
	if shim == nil {
		return audio.Graph{}, fmt.Errorf("%s: %s", plan, reason(code))
	}
	graph := audio.Graph{RateHz: plan.rateHz, PeriodFrames: plan.periodFrames}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shim, s.graph = shim, graph
	s.watch = startWatching(shim, s.events)
	return graph, nil
}

// find initializes the library and makes a plan, or leaves it as it was.
func (s *Server) find(config audio.Config, withJACK bool) (plan, error) {
	devices, err := initialize(withJACK)
	if err != nil {
		return plan{}, err
	}
	p, err := s.plan(devices, config)
	if s.initialized = err == nil; !s.initialized {
		terminate()
	}
	return p, err
}

// close is for the library's thread.
func (s *Server) close() {
	s.mu.Lock()
	shim, watch := s.shim, s.watch
	s.mu.Unlock()
	if shim != nil {
		watch.Stop(nil)
		// The others must not see a stream that is being freed.
		s.mu.Lock()
		s.shim = nil
		s.xruns += uint64(C.archibald_portaudio_xruns(shim))
		s.mu.Unlock()
		if s.onJACK && C.archibald_portaudio_runs(shim) == 0 {
			s.stuck = true
			return
		}
		C.archibald_portaudio_close(shim)
	}
	if s.initialized && !s.stuck {
		terminate()
		s.initialized = false
	}
}

// Close stops and closes the devices. It fails only when the library does not
// answer; they are then closed as soon as it does.
func (s *Server) Close() error { return lib.call(s.close) }

// Graph returns rate and period, after Close the last ones.
func (s *Server) Graph() audio.Graph {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.graph
}

// Events delivers audio.Lost. One that nobody has taken by the time of Close is
// dropped.
func (s *Server) Events() <-chan audio.Event { return s.events }

// SetActive does nothing: the devices stay open from session to session, and hold
// nobody else to their period.
func (s *Server) SetActive(bool) {}

// SetLatency does nothing: PortAudio has nobody to tell.
func (s *Server) SetLatency(int, int) {}

// Xruns counts the cycles before which PortAudio says that sound was lost.
func (s *Server) Xruns() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shim == nil {
		return s.xruns
	}
	return s.xruns + uint64(C.archibald_portaudio_xruns(s.shim))
}

// RealTime returns the scheduling of the audio thread.
func (s *Server) RealTime() (policy string, priority int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shim == nil {
		return "", 0
	}
	var number, its C.int
	if C.archibald_portaudio_scheduling(C.archibald_portaudio_thread(s.shim), &number, &its) != 0 {
		return "", 0
	}
	return audio.PolicyName(int(number)), int(its)
}

// Threads returns the audio thread.
func (s *Server) Threads() audio.Threads {
	s.mu.Lock()
	defer s.mu.Unlock()
	threads := audio.Threads{Priority: threadPriority}
	if s.shim != nil {
		if id := int(C.archibald_portaudio_thread(s.shim)); id != 0 {
			threads.IDs = []int{id}
		}
	}
	return threads
}

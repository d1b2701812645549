package pipewire

/*
#cgo CFLAGS: -std=gnu11 -fvisibility=hidden -O2 -Wall -I${SRCDIR}/../../rt -isystem /usr/include/pipewire-0.3 -isystem /usr/include/spa-0.2 -D_REENTRANT
#cgo LDFLAGS: -ldl -lpthread
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// openTimeout is shared by the two waits of Open: for the server's greeting and
// for its taking of the nodes.
const openTimeout = 1800 * time.Millisecond

// MaxChannels is how many channels a node can have.
const MaxChannels = int(C.archibald_pipewire_max_channels)

// Server is a connection to PipeWire. It is an audio.Server; its
// methods may be called from any goroutine.
type Server struct {
	core    stream.Callbacks
	options audio.Options
	events  chan audio.Event

	mu     sync.Mutex
	shim   *C.archibald_pipewire // nil: not open
	config audio.Config
	graph  audio.Graph // of the latest connection, once closed
	idle   int         // the server's own quantum in frames
	xruns  uint64      // of earlier connections
	watch  *watcher
	drives bool // this connection's playout node is to be the graph's driver
	// Wishes outlive a connection: the next one starts with them.
	active                      bool
	led                         audio.Graph // see Follow
	sendLatency, receiveLatency int

	muteSince time.Time // zero: it is not
}

var _ audio.Server = (*Server)(nil)

// The header that the C files of this package include belongs to bridge/rt, and
// Go's build cache does not see it change. This constant does.
const _ = rt.HeaderHash

// Opener makes a Server.
func Opener(core stream.Callbacks, options audio.Options) (audio.Server, error) {
	return New(core, options), nil
}

// New returns a server that is not open.
func New(core stream.Callbacks, options audio.Options) *Server {
	return &Server{core: core, options: options, events: make(chan audio.Event)}
}

var load = sync.OnceValue(func() error {
	if complaint := C.archibald_pipewire_load(); complaint != nil {
		return fmt.Errorf("libpipewire-0.3 is not installed or too old, 0.3.50 is needed: %s", C.GoString(complaint))
	}
	return nil
})

// Open connects and makes both nodes, paused until SetActive. A direction with
// no channels has no node. It wraps audio.ErrServerAbsent when PipeWire does
// not run or does not answer.
func (s *Server) Open(config audio.Config) (audio.Graph, error) {
	if err := s.check(config); err != nil {
		return audio.Graph{}, err
	}
	if err := load(); err != nil {
		return audio.Graph{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shim != nil {
		return audio.Graph{}, errors.New("PipeWire connection is open already")
	}
	if err := s.connect(config); err != nil {
		return audio.Graph{}, err
	}
	return s.inForce(), nil
}

// connect opens a server that is closed.
func (s *Server) connect(config audio.Config) error {
	watch, err := newWatcher()
	if err != nil {
		return err
	}
	if err := s.open(config, watch.fd); err != nil {
		watch.close()
		return err
	}
	s.watch = watch
	watch.start(s.shim, s.events)
	s.applyLatency()
	err = s.applyActive()
	if err != nil {
		s.close()
	}
	return err
}

func (s *Server) check(config audio.Config) error {
	for _, position := range s.options.Positions {
		if positionNumber(position) == 0 {
			return fmt.Errorf("channel position %q: PipeWire has none of that name", position)
		}
	}
	send, receive := config.SendChannels, config.ReceiveChannels
	if send < 0 || send > MaxChannels || receive < 0 || receive > MaxChannels || send+receive == 0 {
		return fmt.Errorf("channels to send %d, to receive %d: each must be 0 to %d, one of them at least 1", send, receive, MaxChannels)
	}
	return nil
}

// open makes s.shim or leaves it nil.
func (s *Server) open(config audio.Config, eventFD int) error {
	deadline := time.Now().Add(openTimeout)
	var errno C.int
	shim := C.archibald_pipewire_open((*C.archibald_engine)(s.core.Engine),
		C.archibald_playout_fn(s.core.Playout), C.archibald_capture_fn(s.core.Capture),
		C.archibald_follow_fn(s.core.Follow), C.int(s.core.Socket),
		C.int(eventFD), C.int64_t(openTimeout), &errno)
	if shim == nil {
		return absent(syscall.Errno(errno))
	}
	settings := C.archibald_pipewire_settings(shim)
	s.idle = int(settings.quantum_frames)
	s.config = config
	if s.config.RateHz == 0 {
		s.config.RateHz = int(settings.rate_hz)
	}
	if s.config.PeriodFrames == 0 {
		s.config.PeriodFrames = int(settings.quantum_frames)
	}
	C.archibald_pipewire_ask(shim, C.struct_archibald_pipewire_graph{C.uint32_t(s.config.RateHz), C.uint32_t(s.config.PeriodFrames)})

	result := s.addNodes(shim)
	if result == 0 {
		result = C.archibald_pipewire_wait(shim, C.int64_t(time.Until(deadline)))
	}
	if result != 0 {
		C.archibald_pipewire_close(shim)
		return absent(syscall.Errno(-result))
	}
	if s.led != (audio.Graph{}) {
		if err := refusal(s.led, config, C.archibald_pipewire_settings(shim)); err != nil {
			C.archibald_pipewire_close(shim)
			return err
		}
	}
	s.shim = shim
	return nil
}

func (s *Server) addNodes(shim *C.archibald_pipewire) C.int {
	add := func(direction C.enum_archibald_pipewire_direction, channels int, autoconnect bool) C.int {
		if channels == 0 {
			return 0
		}
		properties := C.CString(s.properties(direction, channels))
		defer C.free(unsafe.Pointer(properties))
		var positions [MaxChannels]C.uint32_t
		for i, name := range positionsOf(s.options.Positions, channels) {
			positions[i] = C.uint32_t(positionNumber(name))
		}
		return C.archibald_pipewire_add(shim, direction, properties, C.uint32_t(channels), &positions[0], C.bool(autoconnect))
	}
	if result := add(C.archibald_pipewire_capture, s.config.SendChannels, false); result != 0 {
		return result
	}
	return add(C.archibald_pipewire_playout, s.config.ReceiveChannels, !s.options.Source)
}

// Graph returns the rate and period in force while a session is up. Without
// one, or before the first cycle, it has those that the nodes would run at as the
// server and its settings are at present, or those of the graph that they are to follow.
func (s *Server) Graph() audio.Graph {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inForce()
}

func (s *Server) inForce() audio.Graph {
	switch {
	case s.led != (audio.Graph{}) && !s.drives:
		s.graph = s.led
	case s.shim != nil:
		graph := C.archibald_pipewire_graph(s.shim)
		s.graph = audio.Graph{RateHz: int(graph.rate_hz), PeriodFrames: int(graph.quantum_frames)}
	}
	return s.graph
}

// Events delivers audio.Lost and audio.Changed. An event that nobody has taken
// when its connection is closed is dropped.
func (s *Server) Events() <-chan audio.Event { return s.events }

// SetActive asks the graph for our period, or lets go of it.
func (s *Server) SetActive(active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active == active {
		return
	}
	s.active = active
	if s.shim != nil {
		_ = s.applyActive() // it could follow before
	}
}

// SetLatency publishes the latency from the sink's ports to the peer, and from the peer
// to the ports of the node that plays its sound, in frames of the graph.
func (s *Server) SetLatency(sendFrames, receiveFrames int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendLatency, s.receiveLatency = max(sendFrames, 0), max(receiveFrames, 0)
	if s.shim != nil {
		s.applyLatency()
	}
}

// Xruns counts the cycles in which the graph's clock had jumped, which is what
// PipeWire 0.3 shows a client of an xrun.
func (s *Server) Xruns() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shim == nil {
		return s.xruns
	}
	return s.xruns + uint64(C.archibald_pipewire_xruns(s.shim))
}

// RealTime returns the scheduling policy of PipeWire's data thread, as chrt(1)
// names it, and its real-time priority. The policy is empty before the first
// cycle of a session.
func (s *Server) RealTime() (policy string, priority int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shim == nil {
		return "", 0
	}
	return schedulingOf(int(C.archibald_pipewire_data_thread(s.shim)))
}

// clientPriority is what PipeWire's real-time module gives clients, 5 below
// the server (libpipewire-module-rt(7), rt.prio).
const clientPriority = 83

// Threads returns PipeWire's data thread, which both nodes share.
func (s *Server) Threads() audio.Threads {
	s.mu.Lock()
	defer s.mu.Unlock()
	threads := audio.Threads{Priority: clientPriority}
	if s.shim != nil {
		if id := int(C.archibald_pipewire_data_thread(s.shim)); id != 0 {
			threads.IDs = []int{id}
		}
	}
	return threads
}

// Close removes both nodes.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shim != nil {
		s.close()
	}
	return nil
}

func (s *Server) close() {
	s.inForce()
	s.xruns += uint64(C.archibald_pipewire_xruns(s.shim))
	s.watch.stop()
	C.archibald_pipewire_close(s.shim)
	s.shim, s.drives = nil, false
	s.watch.close()
}

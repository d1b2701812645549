package jack

/*
#cgo CFLAGS: -std=gnu11 -fvisibility=hidden -Wall -Wextra
#cgo LDFLAGS: -ljack
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// Server is an audio.Server for JACK.
type Server struct {
	core       stream.Callbacks
	name       string
	peer       string
	control    audio.Control // nil: none
	netonePort int           // UDP port of the netone that this end drives; 0: none
	log        *slog.Logger
	events     chan audio.Event

	hopelessAfter, silentAfter time.Duration

	// Only for the holder of libjack.turn.
	controlOpen bool

	mu      sync.Mutex // guards what follows
	clients *clients   // nil: closed
	graph   audio.Graph
	xruns   uint64 // of clients already closed
	send    int    // latencies, frames
	receive int
	answers answers // of netone
}

var _ audio.Server = (*Server)(nil)

// The header that the C files of this package include belongs to bridge/rt, and
// Go's build cache does not see it change. This constant does.
const _ = rt.HeaderHash

// Opener makes a Server.
func Opener(core stream.Callbacks, options audio.Options) (audio.Server, error) {
	return New(core, options), nil
}

// New returns a closed Server. A Server without a name is that of $JACK_DEFAULT_SERVER, or
// "default", as for every JACK program.
func New(core stream.Callbacks, opts audio.Options) *Server {
	name := opts.Server
	if name == "" {
		name = os.Getenv("JACK_DEFAULT_SERVER")
	}
	if name == "" {
		name = "default"
	}
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{
		core:       core,
		log:        log,
		name:       name,
		peer:       opts.Peer,
		control:    opts.Control,
		netonePort: opts.NetonePort,
		events:     make(chan audio.Event),

		hopelessAfter: hopelessAfter, silentAfter: silentAfter,
	}
}

// Open opens both clients, registers their ports, starts their callbacks and
// opens the Control. When one step fails the ones before it are undone.
//
// The error wraps audio.ErrServerAbsent when there is no server of that
// name. Any other error can be transient too: jackd2 refuses a client now and
// then while another one is leaving. RateHz and PeriodFrames are not looked
// at, since a client cannot choose them: the graph says what they are.
func (s *Server) Open(config audio.Config) (audio.Graph, error) {
	if err := s.check(config); err != nil {
		return audio.Graph{}, err
	}
	var graph audio.Graph
	var opened error
	silent := s.call(func() {
		s.close() // what an Open that was given up left behind
		graph, opened = s.open(config)
	})
	if silent != nil {
		return audio.Graph{}, silent
	}
	return graph, opened
}

func (s *Server) check(config audio.Config) error {
	for _, channels := range []int{config.SendChannels, config.ReceiveChannels} {
		if channels < 0 || channels > C.archibald_jack_max_channels {
			return fmt.Errorf("JACK: %d channels, legal are 0 to %d", channels, int(C.archibald_jack_max_channels))
		}
	}
	return nil
}

// open is for the holder of libjack.turn, with no clients open.
func (s *Server) open(config audio.Config) (audio.Graph, error) {
	s.mu.Lock()
	send, receive := s.send, s.receive
	s.mu.Unlock()
	c, err := openClients(s.core, s.name, s.peer, s.netonePort, config, send, receive)
	if err != nil {
		return audio.Graph{}, s.howToStart(err)
	}
	graph := c.graph()
	err = c.fresh()
	if err == nil {
		err = c.activate()
	}
	if err == nil {
		err = c.startDriving(s.core)
	}
	if err != nil {
		c.close()
		return audio.Graph{}, err
	}
	s.mu.Lock()
	s.clients, s.graph = c, graph
	s.mu.Unlock()

	if s.control != nil {
		err := s.control.Open()
		s.controlOpen = err == nil
		if err == nil && !c.intact() {
			err = fmt.Errorf("JACK server %q was restarted meanwhile", s.name)
		}
		if err == nil {
			err = c.fresh() // the Control is a client too
		}
		if err != nil {
			s.close()
			return audio.Graph{}, err
		}
	}
	c.startWatching(graph, s.events, s.control)
	return graph, nil
}

// Graph returns rate and period in force, after Close the last ones.
func (s *Server) Graph() audio.Graph {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients != nil {
		s.graph = s.clients.graph()
	}
	return s.graph
}

// Events returns a channel without buffer: an event nobody has taken by the
// time of Close is gone, so none is ever about an earlier Open.
func (s *Server) Events() <-chan audio.Event { return s.events }

// SetActive does nothing: the clients always run. They cost JACK two wake-ups
// per period and hold its graph to nothing, and ports that come and go with
// the session would lose what is patched to them.
func (s *Server) SetActive(bool) {}

// SetLatency publishes the one-way latencies as JACK latency ranges: sound at the
// outputs of playout's client was captured receiveFrames ago, sound at the inputs of
// capture's client will be heard in sendFrames.
func (s *Server) SetLatency(sendFrames, receiveFrames int) {
	s.mu.Lock()
	unchanged := s.send == sendFrames && s.receive == receiveFrames
	s.send, s.receive = sendFrames, receiveFrames
	s.mu.Unlock()
	if unchanged {
		return
	}
	// A server that does not answer has no use for a latency.
	_ = s.call(func() {
		if s.clients != nil {
			s.clients.setLatency(sendFrames, receiveFrames)
		}
	})
}

// RealTime returns the scheduling of the process thread with the lower
// priority: "SCHED_FIFO" when jackd runs with -R and may use it. It is "" while
// closed and before the first cycle.
func (s *Server) RealTime() (policy string, priority int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients == nil {
		return "", 0
	}
	return s.clients.scheduling()
}

// Threads returns the process threads of both clients, and the thread that drives netone.
func (s *Server) Threads() audio.Threads {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients == nil {
		return audio.Threads{}
	}
	return s.clients.threads()
}

// Xruns counts the xruns the server reported since Open was first called.
func (s *Server) Xruns() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients != nil {
		return s.xruns + s.clients.xruns()
	}
	return s.xruns
}

// Close closes the Control and both clients. It fails only when the server is
// alive but does not answer; the clients are then closed as soon as it does.
func (s *Server) Close() error {
	return s.call(s.close)
}

// close is for the holder of libjack.turn.
func (s *Server) close() {
	s.mu.Lock()
	c := s.clients
	if c != nil {
		s.graph = c.graph()
	}
	s.mu.Unlock()
	if c == nil {
		return
	}
	c.stopWatching()
	if s.controlOpen {
		s.control.Close()
		s.controlOpen = false
	}
	// Graph and Xruns must not see clients that are being freed.
	s.mu.Lock()
	s.clients = nil
	s.xruns += c.xruns()
	s.mu.Unlock()
	c.close()
}

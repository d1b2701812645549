// Package audio says what an audio server is to the bridge: the interface that
// every backend implements, and the registry of backends with what each can do.
// It has no C and knows no backend: bridge/audio/jack and the others know it.
package audio

import "errors"

// ErrServerAbsent is returned by Server.Open when the audio server is not
// running. It is retried forever.
var ErrServerAbsent = errors.New("audio server not running")

// ErrStartAnew is returned by Server.Open when only another process can have
// the audio server. The end gives up with it.
var ErrStartAnew = errors.New("this needs a new process")

// Graph is what an audio server runs at.
type Graph struct {
	RateHz       int
	PeriodFrames int
	// Freewheels: its cycles are as fast as the machine can, for an export, and not in
	// real time. The server then calls the core for none of them.
	Freewheels bool
}

// Config is what an end asks of its audio server.
type Config struct {
	Name            string // of the bridge; see Names
	SendChannels    int    // inputs of the node whose sound goes to the peer
	ReceiveChannels int    // outputs of the node that plays the peer's sound
	RateHz          int    // wanted; 0: the server's
	PeriodFrames    int    // wanted; 0: the server's. Only with Capabilities.ChoosesPeriod.
}

// Threads are the threads on which an audio server calls the core.
type Threads struct {
	IDs      []int // Linux thread ids, of those that have run a cycle
	Priority int   // SCHED_FIFO priority that the server means its clients to have
}

// Event is something that happened in the audio server.
type Event int

// The audio events.
const (
	Lost    Event = iota // the server is gone or has thrown us out: Close, then Open again
	Changed              // rate, period or freewheeling changed: read Graph
)

// Server is one end's connection to its audio server, with both nodes.
// An implementation hands the server C callbacks that call the core directly;
// nothing here runs on an audio thread.
type Server interface {
	// Open makes one attempt. It does not retry and does not block for more
	// than two seconds, but for calls of other ends of this process before its own.
	Open(Config) (Graph, error)
	// Graph returns the values now in force. A PipeWire graph that does not
	// run yet has the period asked for.
	Graph() Graph
	// Events is never closed and survives Close and Open.
	Events() <-chan Event
	// SetActive says whether a session is up. An inactive end must not hold
	// the graph to its period.
	SetActive(active bool)
	// SetLatency publishes the one-way latency of each direction to the graph.
	SetLatency(sendFrames, receiveFrames int)
	// RealTime returns the scheduling of the audio threads as they run:
	// "SCHED_FIFO" and its priority, "SCHED_OTHER" and 0, or "" before the first
	// cycle.
	RealTime() (policy string, priority int)
	// Threads returns the audio threads. They are others after another Open.
	Threads() Threads
	// Xruns counts what the server reported since Open was first called.
	Xruns() uint64
	// Close removes both nodes. It is legal after Lost and twice.
	Close() error
}

// Troubled is a Server that knows what can keep it mute while it looks well.
type Troubled interface {
	// Trouble is what does so now, in a line with what to do about it; "": nothing.
	// It is asked every half second.
	Trouble() string
	// WhyPeriod says why the graph does not run at the period asked for, or at that of the
	// peer that leads; "": nothing is wrong, or not known.
	WhyPeriod(asked, runs int) string
}

// Follower is a Server whose graph the peer's packets can drive.
type Follower interface {
	// Follow makes the peer's packets drive the graph, at the peer's rate and period, or, of
	// the zero Graph, gives it back its own clock. The core must know of it before. The
	// server may close and open its nodes for it. It is legal on a closed server, which then
	// opens so. The error says what cannot be had, in words for the user.
	Follow(Graph) error
	// Follows says what Follow takes now: any rate and period that Capabilities allow
	// (the zero Graph), or only this one. ok is false when it takes none.
	Follows() (only Graph, ok bool)
}

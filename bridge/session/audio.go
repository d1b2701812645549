package session

import "errors"

// ErrServerAbsent is returned by AudioServer.Open when the audio server is not
// running. It is retried for ever.
var ErrServerAbsent = errors.New("audio server not running")

// ErrStartAnew is returned by AudioServer.Open when only another process can have
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

// AudioConfig is what an end asks of its audio server.
type AudioConfig struct {
	Name            string // of the bridge; "" gives archibald-to-host, "lab" archibald-lab-to-host
	SendChannels    int    // inputs of the node whose sound goes to the peer
	ReceiveChannels int    // outputs of the node that plays the peer's sound
	RateHz          int    // wanted; 0: the server's
	PeriodFrames    int    // wanted; 0: the server's. Only PipeWire can be asked.
}

// AudioThreads are the threads on which an audio server calls the core.
type AudioThreads struct {
	IDs      []int // Linux thread ids, of those that have run a cycle
	Priority int   // SCHED_FIFO priority that the server means its clients to have
}

// AudioEvent is something that happened in the audio server.
type AudioEvent int

// The audio events.
const (
	AudioLost    AudioEvent = iota // the server is gone or has thrown us out: Close, then Open again
	AudioChanged                   // rate, period or freewheeling changed: read Graph
)

// AudioServer is one end's connection to its audio server, with both nodes.
// An implementation hands the server C callbacks that call the core directly;
// nothing here runs on an audio thread.
type AudioServer interface {
	// Open makes one attempt. It does not retry and does not block for more
	// than two seconds.
	Open(AudioConfig) (Graph, error)
	// Graph returns the values now in force. A PipeWire graph that does not
	// run yet has the period asked for.
	Graph() Graph
	// Events is never closed and survives Close and Open.
	Events() <-chan AudioEvent
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
	Threads() AudioThreads
	// Xruns counts what the server reported since Open was first called.
	Xruns() uint64
	// Close removes both nodes. It is legal after AudioLost and twice.
	Close() error
}

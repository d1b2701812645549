package session

import (
	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/status"
)

// Machine is the operating system, asked for what steady sound needs. Nothing
// it refuses is fatal; it says itself, once, what is lost. Its methods do not
// wait and are called from the end's goroutine.
type Machine interface {
	// SetStreaming says whether the machine is to be quiet: from the start of
	// the streams until 10 s after their end, and not when the program ends.
	SetStreaming(streaming bool)
	// Tend gives the audio threads their priority and their processors. It is
	// called at every tick and does nothing for threads it has seen.
	Tend(audio.Threads)
	// Status returns what is in force.
	Status() status.Machine
}

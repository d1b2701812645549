package session

import "archibald-bridge/bridge/audio"

// The audio server as the session sees it.
type (
	AudioServer  = audio.Server
	AudioConfig  = audio.Config
	AudioThreads = audio.Threads
	AudioEvent   = audio.Event
	Graph        = audio.Graph
)

const (
	AudioLost    = audio.Lost
	AudioChanged = audio.Changed
)

var (
	ErrServerAbsent = audio.ErrServerAbsent
	ErrStartAnew    = audio.ErrStartAnew
)

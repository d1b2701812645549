//go:build !portaudio

package portaudio

import (
	"archibald-bridge/bridge/session"
	"archibald-bridge/bridge/stream"
)

// Built says whether this program has PortAudio.
const Built = false

// New always fails with ErrNotBuilt.
func New(stream.Callbacks, Options) (session.AudioServer, error) { return nil, ErrNotBuilt }

// Devices always fails with ErrNotBuilt.
func Devices() ([]Device, error) { return nil, ErrNotBuilt }

//go:build !portaudio

package portaudio

import (
	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/stream"
)

// Built says whether this program has PortAudio.
const Built = false

// Opener always fails with ErrNotBuilt.
func Opener(stream.Callbacks, audio.Options) (audio.Server, error) { return nil, ErrNotBuilt }

// Devices always fails with ErrNotBuilt.
func Devices() ([]Device, error) { return nil, ErrNotBuilt }

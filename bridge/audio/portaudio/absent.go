//go:build !portaudio

package portaudio

import "archibald-bridge/bridge/audio"

// Built says whether this program has PortAudio.
const Built = false

// Opener always fails with ErrNotBuilt.
func Opener(audio.Callbacks, audio.Options) (audio.Server, error) { return nil, ErrNotBuilt }

// Devices always fails with ErrNotBuilt.
func Devices() ([]Device, error) { return nil, ErrNotBuilt }

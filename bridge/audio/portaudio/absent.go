//go:build !portaudio

package portaudio

import "archibald-bridge/bridge/session"

// Built says whether this program has PortAudio.
const Built = false

// New always fails with ErrNotBuilt.
func New(Core, Options) (session.AudioServer, error) { return nil, ErrNotBuilt }

// Devices always fails with ErrNotBuilt.
func Devices() ([]Device, error) { return nil, ErrNotBuilt }

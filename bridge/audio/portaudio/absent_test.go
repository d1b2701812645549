//go:build !portaudio

package portaudio

import (
	"errors"
	"testing"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/stream"
)

func TestWithoutTheTagThereIsNoPortAudio(t *testing.T) {
	if _, err := Opener(stream.Callbacks{}, audio.Options{}); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("Opener: %v", err)
	}
	if _, err := Devices(); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("Devices: %v", err)
	}
}

//go:build !portaudio

package portaudio

import (
	"errors"
	"testing"

	"archibald-bridge/bridge/stream"
)

func TestWithoutTheTagThereIsNoPortAudio(t *testing.T) {
	if _, err := New(stream.Callbacks{}, Options{}); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("New: %v", err)
	}
	if _, err := Devices(); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("Devices: %v", err)
	}
}

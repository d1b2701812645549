//go:build !portaudio

package portaudio

import (
	"errors"
	"testing"
)

func TestWithoutTheTagThereIsNoPortAudio(t *testing.T) {
	if _, err := New(Core{}, Options{}); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("New: %v", err)
	}
	if _, err := Devices(); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("Devices: %v", err)
	}
}

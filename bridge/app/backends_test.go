package app

import (
	"testing"

	"archibald-bridge/bridge/audio"
)

func TestEveryBackendOfTheRegistryIsOpenedAndNoOther(t *testing.T) {
	for _, b := range audio.Backends {
		if openers[b.Name] == nil {
			t.Errorf("nothing opens the backend %q", b.Name)
		}
	}
	for name := range openers {
		if _, known := audio.Named(name); !known {
			t.Errorf("the registry has no backend %q", name)
		}
	}
}

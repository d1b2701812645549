package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"archibald-bridge/bridge/audio/portaudio"
)

func TestDevicesAreListedOrTheBuildIsNamed(t *testing.T) {
	asound := filepath.Join(t.TempDir(), "asound.conf")
	if err := os.WriteFile(asound, []byte("pcm.default { type null }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALSA_CONFIG_PATH", asound)
	t.Setenv("JACK_DEFAULT_SERVER", "archibald-no-such-server")
	var text bytes.Buffer
	err := Devices(&text)
	if portaudio.Built != (err == nil) || portaudio.Built != strings.Contains(text.String(), "default  ALSA") {
		t.Errorf("%v:\n%s", err, text.String())
	}
}

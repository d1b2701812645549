package host

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/app"
	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/audio/portaudio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/proto"
)

// configured is a host that gives up soon, on an address of its own.
func configured(t *testing.T) config.Config {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	cfg := config.Default(proto.Host)
	cfg.SendChannels, cfg.ReceiveChannels = 2, 2
	if err := errors.Join(cfg.Listen.UnmarshalText([]byte("127.83.11.2:4713")), cfg.StatusListen.UnmarshalText([]byte("off")),
		cfg.Wait.UnmarshalText([]byte("1s"))); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func runHost(t *testing.T, cfg config.Config) (log string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var text bytes.Buffer
	err = app.Run(ctx, Role, cfg, slog.New(slog.NewTextHandler(&text, nil)))
	return text.String(), err
}

func TestAHostWithoutPipeWireIsToldOnceWhatElseThereIs(t *testing.T) {
	t.Setenv("PIPEWIRE_RUNTIME_DIR", t.TempDir())
	log, err := runHost(t, configured(t))
	if !errors.Is(err, fault.ErrNeverReached) {
		t.Errorf("ended with %v", err)
	}
	if strings.Count(log, "--backend jack") != 1 || strings.Contains(log, "--backend portaudio") != portaudio.Built {
		t.Errorf("log:\n%s", log)
	}
}

func TestPortAudioIsRefusedOrItsDeviceMissed(t *testing.T) {
	asound := filepath.Join(t.TempDir(), "asound.conf")
	if err := os.WriteFile(asound, []byte("pcm.default { type null }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALSA_CONFIG_PATH", asound)
	t.Setenv("JACK_DEFAULT_SERVER", "archibald-no-such-server")
	cfg := configured(t)
	cfg.Backend, cfg.OutputDevice = audio.PortAudio, "speakers"
	_, err := runHost(t, cfg)
	if !portaudio.Built {
		want := `backend: "portaudio": legal is pipewire or jack here: ` + portaudio.ErrNotBuilt.Error()
		var wrong *fault.WrongValue
		if !errors.As(err, &wrong) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		return
	}
	if !errors.Is(err, fault.ErrNeverReached) || !strings.Contains(err.Error(), `output-device "speakers": there is none; there are 0 "default" (ALSA)`) {
		t.Errorf("ended with %v", err)
	}
}

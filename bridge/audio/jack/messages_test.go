package jack

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

func TestWhatLibjackSaysByItselfIsForTheDebugLogOnly(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		var log bytes.Buffer
		handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})
		server := New(jacktest.NewCore().Callbacks(), audio.Options{Server: "archibald-nowhere", Peer: "host", Log: slog.New(handler)})
		for range 20 { // more messages than wait at once
			if _, err := server.Open(stereo); !errors.Is(err, audio.ErrServerAbsent) {
				t.Fatal(err)
			}
		}
		told := strings.Count(log.String(), "Cannot connect to server")
		if want := level == slog.LevelDebug; want && told < 20 || !want && log.Len() > 0 {
			t.Errorf("at level %s the log says it %d times:\n%s", level, told, log.String())
		}
	}
}

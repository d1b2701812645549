//go:build portaudio

package portaudio

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

var stereo = audio.Config{SendChannels: 2, ReceiveChannels: 2}

// newServer returns a closed server with a core that plays and notes counters.
func newServer(t *testing.T, options audio.Options) (audio.Server, *jacktest.Core) {
	t.Helper()
	core := jacktest.NewCore()
	server, err := Opener(core.Callbacks(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return server, core
}

// alsa makes ALSA have these devices and no others: recorder, which writes what it
// is given to a file; player, which gives what is in another one; default, which
// does neither. It returns the paths of the two. None has a clock.
func alsa(t *testing.T) (recorded, played string) {
	t.Helper()
	dir := t.TempDir()
	recorded, played = filepath.Join(dir, "recorded.raw"), filepath.Join(dir, "played.raw")
	config := filepath.Join(dir, "asound.conf")
	text := fmt.Sprintf(`pcm.recorder { type file slave.pcm { type null } file %q format "raw" }
pcm.player { type file slave.pcm { type null } file "/dev/null" infile %q format "raw" }
pcm.default { type null }
`, recorded, played)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(played, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALSA_CONFIG_PATH", config)
	t.Setenv("JACK_NO_START_SERVER", "1")
	return recorded, played
}

// readStereo returns the frames of a file in ALSA's FLOAT_LE.
func readStereo(t *testing.T, path string) (left, right []float32) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(data) >= 8; data = data[8:] {
		left = append(left, math.Float32frombits(binary.LittleEndian.Uint32(data)))
		right = append(right, math.Float32frombits(binary.LittleEndian.Uint32(data[4:])))
	}
	return left, right
}

// runCycles waits until n more cycles have run.
func runCycles(t *testing.T, core *jacktest.Core, n uint64) {
	t.Helper()
	captured, _ := core.Captured()
	waitFor(t, "cycles", func() bool { now, _ := core.Captured(); return now >= captured+n })
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within 10 s", what)
}

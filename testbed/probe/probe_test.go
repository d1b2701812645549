package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/stack"
)

// startScript starts a shell script in a probe's place.
func startScript(t *testing.T, script string) *Probe {
	t.Helper()
	s, err := stack.NewShared()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	binary := filepath.Join(t.TempDir(), "fake")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := Start(s, Config{
		Binary: binary, Name: "ear", JackServer: "guest", Inputs: 2, Duration: 90 * time.Second,
		Outputs: []Signal{Tone(441.5, -12), Noise(7), NoiseF32(8)}, Connect: [][2]string{{"a:b", "c:d"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheConfigBecomesFlags(t *testing.T) {
	p := startScript(t, `echo "$@"`)
	if _, err := p.Wait(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	want := "--name ear --output " + p.prefix + " --inputs 2 --duration 1m30s --server guest" +
		" --tone=441.5,-12 --noise=7 --noise-f32=8 --connect a:b,c:d"
	if got := p.LogTail(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAProbeThatHeardNothingIsAnErrorWithItsWords(t *testing.T) {
	if _, err := startScript(t, "echo no such server; exit 1").Finish(); err == nil || !strings.Contains(err.Error(), "no such server") {
		t.Errorf("got %v", err)
	}
}

func TestAProbeThatFailedIsAnErrorEvenWithARecording(t *testing.T) {
	script := `while [ $1 != --output ]; do shift; done; echo '{"rate_hz":48000,"server_lost":%s}' > $2.json; exit 1`
	if _, err := startScript(t, strings.Replace(script, "%s", "false", 1)).Finish(); err == nil {
		t.Error("exit code 1 with the server up is no error")
	}
	r, err := startScript(t, strings.Replace(script, "%s", "true", 1)).Finish()
	if err != nil || !r.ServerLost {
		t.Errorf("losing the server: %+v, %v", r, err)
	}
}

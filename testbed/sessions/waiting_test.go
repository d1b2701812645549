package sessions

import (
	"os"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
	"archibald-bridge/testbed/endtoend"
)

// libjack complains on standard error of each server that it does not find, and of what a
// dead one left: the user reads what the bridge says of that, and nothing else.
func TestAnEndThatWaitsForJackdSaysSoInItsOwnWordsOnly(t *testing.T) {
	r := start(t, endtoend.Config{PeriodFrames: 256})
	if err := r.StartGuest(); err != nil {
		t.Fatal(err)
	}
	waitAudio(t, r, status.AudioAbsent)
	time.Sleep(time.Second) // several attempts
	if err := r.StartJackd(); err != nil {
		t.Fatal(err)
	}
	waitAudio(t, r, status.AudioRunning)
	r.Jackd.Kill9()
	waitAudio(t, r, status.AudioAbsent)
	time.Sleep(time.Second)
	r.Guest.Stop()
	text, err := os.ReadFile(r.Guest.Log)
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("not a line of the bridge's log: %s", line)
		}
		if strings.Contains(line, `msg="waiting for the audio server"`) {
			waits++
		}
	}
	if waits == 0 {
		t.Errorf("the log does not say that jackd is waited for:\n%s", text)
	}
}

func waitAudio(t *testing.T, r *endtoend.Rig, want status.State) {
	t.Helper()
	var s status.Status
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var err error
		if s, err = r.Status(proto.Guest); err == nil && s.Audio.State == want {
			return
		}
	}
	t.Fatalf("the audio server is %q after 10 s, want %q", s.Audio.State, want)
}

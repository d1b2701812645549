//go:build portaudio

package portaudio

import (
	"errors"
	"os"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/jacktest"
)

// On a JACK server that dies: what PortAudio makes of that ends the process, so
// this is the last that this one does with it.
func TestTheJACKServerThatDiesIsLostAndNeedsAnotherProcess(t *testing.T) {
	alsa(t)
	jackd := jacktest.Start(t, 256)
	t.Setenv("JACK_DEFAULT_SERVER", jackd.Name)

	server, core := newServer(t, audio.Options{OutputDevice: "system"})
	_, err := server.Open(audio.Config{SendChannels: 2, ReceiveChannels: 2, RateHz: 44100})
	want := `output-device "system" with input-device "system" (` + jackAPI + `): not at 44100 Hz; it takes 48000 (--rate)`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if os.Getenv("JACK_DEFAULT_SERVER") != jackd.Name {
		t.Errorf("JACK_DEFAULT_SERVER has become %q", os.Getenv("JACK_DEFAULT_SERVER"))
	}

	onALSA, _ := newServer(t, audio.Options{})
	if _, err := onALSA.Open(stereo); err != nil {
		t.Fatal(err)
	}
	if err := onALSA.Close(); err != nil {
		t.Fatal(err)
	}

	server, core = newServer(t, audio.Options{OutputDevice: "system"})
	if _, err := server.Open(stereo); err != nil {
		t.Fatal(err)
	}
	runCycles(t, core, 20)
	if policy, priority := server.RealTime(); policy != "SCHED_FIFO" || priority == 0 {
		t.Errorf("scheduling %q %d, want what jackd gives", policy, priority)
	}
	jackd.Kill()
	defer jackd.Restart(256) // to sign off
	select {
	case event := <-server.Events():
		if event != audio.Lost {
			t.Errorf("event %d", event)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("nothing is lost")
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Open(stereo); !errors.Is(err, audio.ErrStartAnew) {
		t.Errorf("Open: %v", err)
	}
}

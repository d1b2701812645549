package pipewire

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/testbed/fakecore"
	"archibald-bridge/testbed/wav"
)

// restartManager has the session manager die as in a crash and come back.
func (d *desktop) restartManager(t *testing.T) {
	t.Helper()
	d.wireplumber.Kill9()
	if err := d.wireplumber.Restart(); err != nil {
		t.Fatal(err)
	}
}

// listsSink says whether a user is offered the sink.
func (d *desktop) listsSink(t *testing.T, description string) bool {
	t.Helper()
	_, sinks, _ := strings.Cut(d.run(t, "wpctl", "status"), "Sinks:")
	sinks, _, _ = strings.Cut(sinks, "Sources:")
	return strings.Contains(sinks, description)
}

// reopen does what a session does about AudioLost, and fails when that comes a
// second time.
func (b *bridge) reopen(t *testing.T) {
	t.Helper()
	for event := audio.Changed; event != audio.Lost; {
		select {
		case event = <-b.Events():
		case <-time.After(10 * time.Second):
			t.Fatal("no AudioLost within 10 s")
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.mustOpen(t, stereo(""))
	b.neverLost(t, 500*time.Millisecond)
}

// neverLost fails when AudioLost comes.
func (b *bridge) neverLost(t *testing.T, within time.Duration) {
	t.Helper()
	for over := time.After(within); ; {
		select {
		case event := <-b.Events():
			if event == audio.Lost {
				t.Fatal("AudioLost")
			}
		case <-over:
			return
		}
	}
}

// captures says whether the core gets the tone on its left channel.
func (b *bridge) captures(hz float64) bool {
	return math.Abs(level(b.core.Captured(0, 4800), hz)-fakecore.Amplitude) < 0.01
}

func TestSessionManagerThatDiesAndComesBack(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	b.core.PlayTones(440, 3000)
	b.SetActive(true)
	// A program that plays when it dies. WirePlumber 0.4 does not link that one
	// again, to whatever sink; it must not be in the way of the rest.
	d.start(t, "pw-cat", "-p", "--target", "archibald-to-guest", writeTones(t, 120, 600, 600))
	eventually(t, "the program is heard", func() bool { return b.captures(600) })

	for range 3 {
		d.restartManager(t)
		b.reopen(t)
		eventually(t, "the stream is linked to the new sink", func() bool {
			return d.linked(t, "archibald-from-guest:output_FL", "null-sink:playback_FL") &&
				d.linked(t, "archibald-from-guest:output_FR", "null-sink:playback_FR")
		})
		eventually(t, "the core's sound is heard there", func() bool { return d.hears(t, 440, 3000) })
		eventually(t, "wpctl status lists the sink", func() bool { return d.listsSink(t, "Archibald guest") })
		b.runs(t, 20) // older sound is out of the window
		player := d.start(t, "pw-cat", "-p", "--target", "archibald-to-guest", writeTones(t, 60, 1000, 1000))
		eventually(t, "a new program is heard", func() bool { return b.captures(1000) })
		player.Stop()
	}
	if !d.pipewire.Alive() {
		t.Error("PipeWire died")
	}
}

// hears records the null sink for half a second.
func (d *desktop) hears(t *testing.T, leftHz, rightHz float64) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "heard.wav")
	recorder := d.start(t, "pw-record", "--target", "0", "--format", "f32", "--latency", "256", path)
	for _, side := range []string{"FL", "FR"} {
		if err := d.PipeWireConnect("null-sink:monitor_"+side, "pw-record:input_"+side); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(500 * time.Millisecond)
	recorder.Stop()
	heard, err := wav.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const window = 9600
	// A busy machine may skip a cycle, but not in every stretch of 0.2 s.
	for start := 0; start+window <= heard.Frames(); start += window / 4 {
		left, right := heard.Channels[0][start:start+window], heard.Channels[1][start:start+window]
		if clean(left, leftHz, rightHz) && clean(right, rightHz, leftHz) {
			return true
		}
	}
	return false
}

func TestSessionManagerThatComesAfterUsIsNoLoss(t *testing.T) {
	d := ownDesktop(t)
	d.wireplumber.Kill9()
	b := openBridge(t, "")
	b.SetActive(true)
	if err := d.wireplumber.Restart(); err != nil {
		t.Fatal(err)
	}
	b.neverLost(t, time.Second)
	b.drain(t)
	if !d.linked(t, "archibald-from-guest:output_FL", "null-sink:playback_FL") {
		t.Error("the stream is not linked to the sink")
	}
	d.start(t, "pw-cat", "-p", "--target", "archibald-to-guest", writeTones(t, 60, 1000, 1000))
	eventually(t, "a program is heard", func() bool { return b.captures(1000) })
}

func TestSessionManagerThatStaysAwayIsNoLoss(t *testing.T) {
	d := ownDesktop(t)
	b := openBridge(t, "")
	b.SetActive(true)
	b.runs(t, 10)
	d.wireplumber.Kill9()
	b.neverLost(t, time.Second)
	b.drain(t)
	b.runs(t, 10)
}

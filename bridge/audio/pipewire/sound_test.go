package pipewire

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"archibald-bridge/testbed/fakecore"
	"archibald-bridge/testbed/wav"
)

// level returns the amplitude of the tone at hz in samples taken at 48 kHz.
func level[Sample float32 | float64](samples []Sample, hz float64) float64 {
	var re, im float64
	for i, sample := range samples {
		// A Hann window keeps a neighbouring tone out.
		window := 1 - math.Cos(2*math.Pi*float64(i)/float64(len(samples)))
		phase := 2 * math.Pi * hz * float64(i) / 48000
		re += float64(sample) * window * math.Cos(phase)
		im += float64(sample) * window * math.Sin(phase)
	}
	return 2 * math.Hypot(re, im) / float64(len(samples))
}

// clean says whether samples hold one tone, at the fake core's amplitude and
// without a break, and not the other.
func clean[Sample float32 | float64](samples []Sample, wantHz, otherHz float64) bool {
	return math.Abs(level(samples, wantHz)-fakecore.Amplitude) < 0.005 && level(samples, otherHz) < 0.002
}

func tone(hz float64, frames int) []float32 {
	samples := make([]float32, frames)
	for i := range samples {
		samples[i] = float32(fakecore.Amplitude * math.Sin(2*math.Pi*hz*float64(i)/48000))
	}
	return samples
}

func writeTones(t *testing.T, seconds int, hz ...float64) string {
	t.Helper()
	return writeTonesAt(t, 48000, seconds, hz...)
}

// writeTonesAt is writeTones for a file of another rate: the tones are higher or lower.
func writeTonesAt(t *testing.T, rateHz, seconds int, hz ...float64) string {
	t.Helper()
	audio := wav.Audio{RateHz: rateHz}
	for _, hz := range hz {
		audio.Channels = append(audio.Channels, tone(hz, seconds*48000))
	}
	path := filepath.Join(t.TempDir(), "tones.wav")
	if err := wav.WriteFile(path, audio, wav.Float32); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSoundPlayedIntoTheSinkReachesTheCoreInChannelOrder(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.SetActive(true)
	b.runs(t, 10)
	d.start(t, "pw-cat", "-p", "--target", "archibald-to-guest", writeTones(t, 20, 440, 3000))
	const window = 9600
	eventually(t, "440 Hz on the left and 3000 Hz on the right, clean", func() bool {
		left, right := b.core.Captured(0, window), b.core.Captured(1, window)
		return len(left) == window && clean(left, 440, 3000) && clean(right, 3000, 440)
	})
}

func TestSoundOfTheCoreIsHeardAtTheDefaultSinkInChannelOrder(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.core.PlayTones(440, 3000)
	b.SetActive(true)
	b.runs(t, 10)
	path := filepath.Join(t.TempDir(), "heard.wav")
	recorder := d.start(t, "pw-record", "--target", "0", "--format", "f32", "--latency", "256", path)
	for _, side := range []string{"FL", "FR"} {
		if err := d.PipeWireConnect("null-sink:monitor_"+side, "pw-record:input_"+side); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second) // of sound
	recorder.Stop()
	heard, err := wav.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const window = 9600
	if heard.Frames() < 2*window {
		t.Fatalf("only %d frames recorded", heard.Frames())
	}
	// A busy machine may skip a cycle, but not in every stretch of 0.2 s.
	for start := 0; start+window <= heard.Frames(); start += window / 4 {
		left, right := heard.Channels[0][start:start+window], heard.Channels[1][start:start+window]
		if clean(left, 440, 3000) && clean(right, 3000, 440) {
			return
		}
	}
	t.Errorf("no 0.2 s of 440 Hz on the left and 3000 Hz on the right in %d frames", heard.Frames())
}

// What playout writes in a cycle is what capture reads in that cycle.
func TestLinkFromStreamToSinkCostsNoCycle(t *testing.T) {
	d := sharedDesktop(t)
	b := openBridge(t, "")
	b.drain(t)
	b.core.PlayCounter()
	b.SetActive(true)
	if err := d.PipeWireConnect("archibald-from-guest:output_FL", "archibald-to-guest:playback_FL"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the counter arrives", func() bool {
		_, cycles := b.core.CaptureCalls(1)
		return len(cycles) == 1 && cycles[0].First != 0
	})
	b.runs(t, 50)
	_, cycles := b.core.CaptureCalls(40)
	for _, cycle := range cycles {
		written := uint64(math.Round(cycle.First * float64(fakecore.CounterPeriod)))
		if delay := cycle.GraphFrame%uint64(fakecore.CounterPeriod) - written; delay != 0 {
			t.Fatalf("graph frame %d carries the sample of frame %d", cycle.GraphFrame, written)
		}
	}
}

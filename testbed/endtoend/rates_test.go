package endtoend

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"archibald-bridge/bridge/roundtrip"
	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/signal"
)

// A guest at twice the host's rate: both directions have their pitch, level and channel, and
// the latency that was asked for.
func TestSoundCrossesBetweenServersOfDifferentRates(t *testing.T) {
	r := start(t, Config{PeriodFrames: 256, RateHz: 96000, HostRateHz: 48000, Common: []string{"--latency", "100ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	d, err := r.Duplex(gate.Soak(10*time.Second, time.Minute), 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for i, rates := range [][2]int{{96000, 48000}, {48000, 96000}} { // of guest and host: own, and the peer's
		s := d.Status[i]
		if received := s.Directions.Receive; s.Audio.Rate != rates[0] || s.Directions.Send.Rate != rates[0] || received.Rate != rates[1] ||
			received.LatencyStagesMs.Resample < 0.4 || received.LatencyMs.Bridge < 99 || received.LatencyMs.Bridge > 101 {
			t.Errorf("%s at %d Hz: sends %d Hz, receives %d Hz, latency %v, of it %v for the resampler", s.End, s.Audio.Rate,
				s.Directions.Send.Rate, received.Rate, received.LatencyMs.Bridge, received.LatencyStagesMs.Resample)
		}
	}
	for _, h := range d.Heard {
		t.Logf("%s: %.3f Hz at %.2f dBFS, THD+N %.1f dB, leak %.1f dBFS, gaps %d, ours %d, unexplained %d, pitch by %s",
			h.Channel, h.Tone.FrequencyHz, h.Tone.LevelDBFS, h.Tone.THDNdB, h.LeakDBFS, len(h.Gaps), h.Ours(), h.count(signal.Attributed.Unexplained), h.spread())
		check(t, h)
	}

	if err := r.PipeWireConnect("archibald-from-guest:output_FL", "archibald-to-guest:playback_FL"); err != nil {
		t.Fatal(err)
	}
	code, output := runBench(t, r, "bench", "--seconds", "5", "--json")
	var report roundtrip.Report
	if err := json.Unmarshal([]byte(output), &report); err != nil || code != 0 || report.RoundTripMs == nil {
		t.Fatalf("exit code %d, %v: %s", code, err, output)
	}
	t.Logf("bench: %+v ms, %d intact, %d damaged, %d missing", *report.RoundTripMs, report.Intact, report.Damaged, report.Missing)
	// This end's status is not where bench looks for it, so it does not know of the host's rate:
	// its noise has more than that passes, and no window is whole.
	if math.Abs(report.RoundTripMs.P50-200) > 0.2 || report.Missing > len(report.Readings)/2 {
		t.Errorf("round trip %.3f ms, want 200 +- 0.2; %d of %d windows are missing", report.RoundTripMs.P50, report.Missing, len(report.Readings))
	}
}

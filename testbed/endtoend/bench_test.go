package endtoend

import (
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/roundtrip"
)

// runBench runs archibald-bridge bench and returns its exit code and output.
func runBench(t *testing.T, r *Rig, name string, args ...string) (code int, output string) {
	t.Helper()
	args = append([]string{"bench", "--jack-server", r.JackServer}, args...)
	p, err := r.Start(name, nil, r.binary, args...)
	if err != nil {
		t.Fatal(err)
	}
	code, err = p.Wait(60 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(p.Log)
	if err != nil {
		t.Fatal(err)
	}
	return code, string(text)
}

var totalRoundTrip = regexp.MustCompile(`([0-9.]+) frames +[0-9.]+ ms total roundtrip`)

// ioDelay is the median of jack_iodelay's readings over the bridge.
func ioDelay(t *testing.T, r *Rig) float64 {
	t.Helper()
	p, err := r.Start("iodelay", []string{"JACK_DEFAULT_SERVER=" + r.JackServer}, "stdbuf", "-oL", "jack_iodelay")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	time.Sleep(time.Second)
	for _, c := range [][2]string{{"jack_delay:out", "archibald-to-host:in_1"}, {"archibald-from-host:out_1", "jack_delay:in"}} {
		if err := r.JackConnect(r.JackServer, c[0], c[1]); err != nil {
			t.Fatal(err)
		}
	}
	var frames []float64
	for deadline := time.Now().Add(20 * time.Second); len(frames) < 10; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("jack_iodelay read too little: %s", p.LogTail())
		}
		text, err := os.ReadFile(p.Log)
		if err != nil {
			t.Fatal(err)
		}
		frames = frames[:0]
		for _, match := range totalRoundTrip.FindAllStringSubmatch(string(text), -1) {
			value, err := strconv.ParseFloat(match[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, value)
		}
	}
	frames = frames[2:] // the first ones are of the time before the connections
	slices.Sort(frames)
	return frames[len(frames)/2]
}

func TestBenchMeasuresTheBridgeAsJackIodelayDoes(t *testing.T) {
	r := start(t, Config{PeriodFrames: 256, Common: []string{"--latency", "20ms"}})
	if err := r.StartAll(); err != nil {
		t.Fatal(err)
	}
	code, output := runBench(t, r, "bench-open")
	if code != 3 || !strings.Contains(output, "pw-link archibald-from-guest:output_FL archibald-to-guest:playback_FL") {
		t.Errorf("without a loop on the host: exit code %d, %s", code, output)
	}
	if err := r.PipeWireConnect("archibald-from-guest:output_FL", "archibald-to-guest:playback_FL"); err != nil {
		t.Fatal(err)
	}
	// Once the clocks are known to be one, the latency is one whole number of frames.
	// A busy machine may hide that; then it wanders by a frame or two between the two readings.
	toleranceFrames := 1.0
	if err := r.WaitExact(exactWithin); err != nil {
		t.Log(err)
		toleranceFrames = 3
	}
	code, output = runBench(t, r, "bench-loop", "--seconds", "5", "--json")
	var report roundtrip.Report
	if err := json.Unmarshal([]byte(output), &report); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, output)
	}
	theirs := ioDelay(t, r)
	ours := report.RoundTripFrames
	t.Logf("bench: %+v, %d intact, %d damaged, %d missing; jack_iodelay: %.3f", *ours, report.Intact, report.Damaged, report.Missing, theirs)
	if math.Abs(ours.P50-theirs) > toleranceFrames {
		t.Errorf("bench measures %.3f frames, jack_iodelay %.3f", ours.P50, theirs)
	}
	if report.Intact < len(report.Readings)/2 {
		t.Errorf("%d of %d windows are intact", report.Intact, len(report.Readings))
	}
}

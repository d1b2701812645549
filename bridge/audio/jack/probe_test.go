package jack

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/roundtrip"
	"archibald-bridge/testbed/jacktest"
	"archibald-bridge/testbed/rtcheck"
)

// What probecycle.c may call.
var probeCycleCalls = map[string]string{
	"clock_gettime":          "vDSO: no system call",
	"jack_port_get_buffer":   "meant for the process callback",
	"memcpy":                 "one period at most",
	"pthread_setcancelstate": "writes the thread's own flag, as in process.c",
}

func TestTheProbesCallbackKeepsTheRealTimeRule(t *testing.T) {
	flags := []string{"-D_GNU_SOURCE", "-std=gnu11", "-O2", "-fno-builtin"}
	rtcheck.Undefined(t, ".", []string{"probecycle.c"}, flags, probeCycleCalls)
}

func openProbe(t *testing.T, server string) *Probe {
	t.Helper()
	probe, err := OpenProbe(server, roundtrip.ClientName)
	if err != nil {
		t.Fatal(err)
	}
	return probe
}

// measure measures a path for two seconds.
func measure(t *testing.T, server, to, from string) *roundtrip.Report {
	t.Helper()
	report, err := roundtrip.Run(t.Context(), openProbe(t, server), roundtrip.Options{
		Server: server, Seconds: 2, To: to, From: from, Status: "127.0.0.1:1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

var totalRoundTrip = regexp.MustCompile(`([0-9.]+) frames +[0-9.]+ ms total roundtrip`)

// ioDelay is jack_iodelay's figure for the path that connect leads from its out
// to its in.
func ioDelay(t *testing.T, jackd *jacktest.Server, connections ...[2]string) float64 {
	t.Helper()
	log := filepath.Join(t.TempDir(), "iodelay")
	cmd := jackd.Daemon(nil, "sh", "-c", "exec stdbuf -oL jack_iodelay >"+log)
	waitFor(t, "jack_iodelay", func() bool { return slices.Contains(jackd.Ports(), "jack_delay:in") })
	for _, c := range connections {
		jackd.Run("jack_connect", c[0], c[1])
	}
	var frames float64
	waitFor(t, "a reading of jack_iodelay", func() bool {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		matches := totalRoundTrip.FindAllStringSubmatch(string(text), -1)
		if len(matches) < 3 { // the first ones are of a signal that was not there yet
			return false
		}
		frames, _ = strconv.ParseFloat(matches[len(matches)-1][1], 64)
		return true
	})
	_ = cmd.Process.Kill()
	return frames
}

func TestAProbeConnectedToItselfIsOnePeriodLate(t *testing.T) {
	for _, period := range []int{64, 256, 1024} {
		t.Run(strconv.Itoa(period), func(t *testing.T) {
			jackd := jacktest.Start(t, period)
			report := measure(t, jackd.Name, "archibald-bench:in", "")
			if report.RateHz != 48000 || report.PeriodFrames != period {
				t.Errorf("%d Hz, %d frames", report.RateHz, report.PeriodFrames)
			}
			if s := report.RoundTripFrames; math.Abs(s.Min-float64(period)) > 0.01 || math.Abs(s.Max-float64(period)) > 0.01 {
				t.Errorf("round trip %+v", s)
			}
			if len(report.Readings) != 2*48000/2048 || report.Intact != len(report.Readings) {
				t.Errorf("%d of %d windows are intact", report.Intact, len(report.Readings))
			}
		})
	}
}

func TestAKnownDelayIsMeasuredAndJackIodelayAgrees(t *testing.T) {
	const period, delay = 256, 777
	jackd := jacktest.Start(t, period)
	line, err := jacktest.OpenDelay(jackd.Name, "line", delay)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	report := measure(t, jackd.Name, "line:in", "line:out")
	// JACK pays the closed loop with one period.
	if s := report.RoundTripFrames; math.Abs(s.P50-(period+delay)) > 0.01 {
		t.Errorf("round trip %+v, want %d", s, period+delay)
	}
	theirs := ioDelay(t, jackd, [2]string{"jack_delay:out", "line:in"}, [2]string{"line:out", "jack_delay:in"})
	t.Logf("%.3f frames; jack_iodelay: %.3f", report.RoundTripFrames.P50, theirs)
	if math.Abs(theirs-report.RoundTripFrames.P50) > 1 {
		t.Errorf("jack_iodelay measures %.3f frames, we %.3f", theirs, report.RoundTripFrames.P50)
	}
}

func TestAMeasurementPutsRealConnectionsBack(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	line, err := jacktest.OpenDelay(jackd.Name, "line", 100)
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	wanted := [][2]string{{"system:capture_1", "line:in"}, {"system:capture_2", "line:in"}, {"line:out", "system:playback_1"}}
	for _, c := range wanted {
		jackd.Run("jack_connect", c[0], c[1])
	}
	report := measure(t, jackd.Name, "line:in", "line:out")
	if len(report.Parted) != 3 || report.Damaged != 0 {
		t.Errorf("parted %q, %d windows damaged", report.Parted, report.Damaged)
	}
	for _, c := range wanted {
		if !jackd.Connected(c[0], c[1]) {
			t.Errorf("%s -> %s was not put back", c[0], c[1])
		}
	}
	for _, port := range jackd.Ports() {
		if strings.HasPrefix(port, roundtrip.ClientName) {
			t.Errorf("%s is left behind", port)
		}
	}
}

func TestAProbeSaysWhyItCannotJoin(t *testing.T) {
	if _, err := OpenProbe("archibald-nowhere", "probe"); !errors.Is(err, audio.ErrServerAbsent) {
		t.Errorf("no server: %v", err)
	}
	jackd := jacktest.Start(t, 256)
	first := openProbe(t, jackd.Name)
	defer first.Close()
	if _, err := OpenProbe(jackd.Name, roundtrip.ClientName); err == nil || !strings.Contains(err.Error(), `already has a client "archibald-bench"`) {
		t.Errorf("name taken: %v", err)
	}
	if _, err := first.Connections("nobody:in"); err == nil || !strings.Contains(err.Error(), "no port nobody:in") {
		t.Errorf("no port: %v", err)
	}
	if err := first.Connect("system:capture_1", "nobody:in"); err == nil {
		t.Error("a port that is not there was connected")
	}
}

func TestAProbeSeesItsServerDie(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	probe := openProbe(t, jackd.Name)
	defer probe.Close()
	if err := probe.Start([]float32{1}, 100*48000); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "cycles", func() bool { return len(probe.Heard()) > 0 })
	jackd.Kill()
	waitFor(t, "the loss", probe.Lost)
}

func TestTheRecordingEndsWhenItIsFull(t *testing.T) {
	jackd := jacktest.Start(t, 256)
	probe := openProbe(t, jackd.Name)
	defer probe.Close()
	if err := probe.Start([]float32{1, 2, 3}, 1000); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "a full recording", func() bool { return len(probe.Heard()) == 3*256 })
	time.Sleep(100 * time.Millisecond)
	if got := len(probe.Heard()); got != 3*256 {
		t.Errorf("%d frames of 1000", got)
	}
}

func TestAProbesThreadsBlockEverySignalAndGosDoNot(t *testing.T) {
	before := tasks(t, "SigBlk")
	jackd := jacktest.Start(t, 256)
	probe := openProbe(t, jackd.Name)
	if err := probe.Start([]float32{1}, 48000); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "cycles", func() bool { return len(probe.Heard()) > 0 })
	const all = "fffffffe7ffbfeff" // see life_test.go
	blocked := 0
	for task, mask := range tasks(t, "SigBlk") {
		if _, old := before[task]; old {
			continue
		}
		if mask == all {
			blocked++
		} else if policy(t, task) == "1" {
			t.Errorf("real-time thread %s blocks only %s", task, mask)
		}
	}
	// One process thread, one notification thread, one message thread.
	if blocked != 3 {
		t.Errorf("%d threads block every signal, want 3", blocked)
	}
	probe.Close()
	for task, mask := range tasks(t, "SigBlk") {
		if mask == all {
			t.Errorf("thread %s still blocks every signal after Close", task)
		}
	}
}

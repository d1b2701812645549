package roundtrip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
)

// endAfter is an end with counters that are multiples of n.
func endAfter(uptime float64, n uint64) status.Status {
	return status.Status{
		End: "guest", UptimeSeconds: uptime, CPUSeconds: 0.07 * uptime, Audio: status.Audio{XrunsTotal: 6 * n},
		Directions: status.Directions{
			Send:    status.Direction{Total: status.Counts{Packets: 100 * n}},
			Receive: status.Direction{Total: status.Counts{Packets: 99 * n, Lost: 2 * n, Late: 3 * n, Dropouts: 4 * n}},
		},
	}
}

// readingsOf makes one reading of each round trip; below 0 it is damaged, 0 is a
// missing window.
func readingsOf(frames ...float64) []Reading {
	var all []Reading
	for i, value := range frames {
		r := Reading{Seconds: (float64(i) + 0.5) * windowFrames / rateHz, Frames: math.Abs(value), Match: 1, State: Intact}
		if value < 0 {
			r.Match, r.State = 0.9, Damaged
		} else if value == 0 {
			r.Match, r.State = 0, Missing
		}
		all = append(all, r)
	}
	return all
}

func TestAdjacentDamagedAndMissingWindowsAreOneDropout(t *testing.T) {
	r := Report{RateHz: rateHz}
	r.judge(readingsOf(0, 100, 100, -100, 0, 0, 100, -100, 100))
	if r.Intact != 4 || r.Damaged != 2 || r.Missing != 3 || r.Dropouts != 3 {
		t.Errorf("%d intact, %d damaged, %d missing, %d dropouts", r.Intact, r.Damaged, r.Missing, r.Dropouts)
	}
}

func TestMissingWindowsHaveNoRoundTrip(t *testing.T) {
	r := Report{RateHz: rateHz}
	r.judge(readingsOf(0, 300, 200, 0, -250, 0))
	if *r.RoundTripFrames != (Spread{200, 250, 300, 300}) {
		t.Errorf("%+v", *r.RoundTripFrames)
	}
	for frames, ms := range map[float64]float64{200: r.RoundTripMs.Min, 250: r.RoundTripMs.P50, 300: r.RoundTripMs.P99} {
		if math.Abs(ms-frames/48) > 1e-9 {
			t.Errorf("%g frames are %g ms", frames, ms)
		}
	}
	r = Report{RateHz: rateHz}
	r.judge(readingsOf(0, 0))
	if r.RoundTripFrames != nil || r.RoundTripMs != nil || r.Dropouts != 1 {
		t.Errorf("%+v", r)
	}
}

func TestQuantilesAreByNearestRank(t *testing.T) {
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(i+1))
	}
	for _, test := range []struct {
		sorted []float64
		q      float64
		want   float64
	}{
		{hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 0.999, 100}, {hundred, 0, 1}, {hundred, 1, 100},
		{[]float64{7}, 0.5, 7}, {[]float64{7}, 0.99, 7}, {[]float64{1, 2, 3}, 0.5, 2}, {[]float64{1, 2}, 0.5, 1},
	} {
		if got := quantile(test.sorted, test.q); got != test.want {
			t.Errorf("quantile %g of %d values: %g, want %g", test.q, len(test.sorted), got, test.want)
		}
	}
}

func TestAPathIsInvertedWhenMostWindowsAre(t *testing.T) {
	r := Report{RateHz: rateHz}
	readings := readingsOf(100, 100, 100, 0)
	readings[0].Match, readings[1].Match = -1, -1
	if r.judge(readings); !r.Inverted {
		t.Error("two of three windows are inverted, the path is not")
	}
}

func TestCountersOfTheBridgeAreThoseOfTheMeasurement(t *testing.T) {
	before, after := endAfter(10, 5), endAfter(20, 8)
	want := Bridge{CPUPercent: 7, PacketsSent: 300, PacketsReceived: 297, PacketsLost: 6, PacketsLate: 9, Dropouts: 12, Xruns: 18}
	got := between(&before, &after)
	if got == nil {
		t.Fatal("nothing counted")
	}
	got.CPUPercent = math.Round(got.CPUPercent*1e6) / 1e6
	if *got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	restarted := endAfter(3, 1)
	for name, got := range map[string]*Bridge{
		"not there at first": between(nil, &after), "gone": between(&before, nil), "restarted": between(&before, &restarted),
	} {
		if got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTheTextSaysWhatWasMeasured(t *testing.T) {
	before, after := endAfter(1, 0), endAfter(4, 1)
	r := Report{
		Server: "default", RateHz: rateHz, PeriodFrames: 64, Seconds: 0.3,
		Path: []string{"a:out -> b:in", "b:out -> a:in"}, Parted: []string{"c:out -> b:in"},
		loss: loss{ServerXruns: 2, ServerLostMs: 12.3}, Bridge: between(&before, &after),
		Timer: Lateness{Policy: "SCHED_OTHER", IntervalUs: 1333.3, P50Us: 12, P99Us: 34, P999Us: 56, MaxUs: 78},
	}
	r.judge(readingsOf(243.4, 243.5, -243.4, 243.4, 0, 250.1, 243.44))
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `server            default, 48000 Hz, 64 frames
bare timer        every 1333 us, SCHED_OTHER: late by p50 12, p99 34, p99.9 56, max 78 us
path              a:out -> b:in
                  b:out -> a:in
parted meanwhile  c:out -> b:in
round trip        min 243.4  p50 243.4  p99 250.1  max 250.1 frames
                  min 5.071  p50 5.071  p99 5.210  max 5.210 ms
server lost time  the JACK server lost 12 ms of its own in 2 xruns, which breaks sound before any bridge does: give it real-time priority or a larger period
windows           7 of 2048 frames in 0.3 s: 1 damaged, 1 missing; 2 dropouts
server's xruns    2
this end          7.0 % of a processor; 100 packets sent, 99 received, 2 lost, 3 late; 4 dropouts, 6 xruns

round trip, frames  windows
             243.5        5  ########################################
             244.0        0
             244.5        0
             245.0        0
             245.5        0
             246.0        0
             246.5        0
             247.0        0
             247.5        0
             248.0        0
             248.5        0
             249.0        0
             249.5        0
             250.0        1  ########

       from second  round trip, frames    windows not intact
               0.0  243.4 to 243.4                         0
               0.0  243.5 to 243.5                         0
               0.1  243.4 to 243.4                         1
               0.1  243.4 to 243.4                         0
               0.2  nothing heard                          1
               0.2  250.1 to 250.1                         0
               0.3  243.4 to 243.4                         0
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &text, want)
	}
}

func TestTheTextOfAMeasurementThatHeardNothing(t *testing.T) {
	r := Report{RateHz: rateHz}
	r.judge(readingsOf(0, 0))
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "round trip      nothing was heard\n") {
		t.Errorf("%v\n%s", err, &text)
	}
}

func TestTheTextExplainsAPathThatDamagesEverything(t *testing.T) {
	r := Report{RateHz: rateHz}
	r.judge(readingsOf(-100, -100, 100))
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "most are damaged: the path adds other sound or an echo") {
		t.Errorf("%v\n%s", err, &text)
	}
}

// Without the host's rate the sound has more than the bridge passes.
func TestTheTextSaysThatTheHostsRateIsNotKnown(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:8713": true, "": false} {
		r := Report{RateHz: rateHz, NoStatusAt: address}
		r.judge(readingsOf(-100, -100, -100))
		var text bytes.Buffer
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		hint := "or the host's rate is lower: no end says it at 127.0.0.1:8713; give --address, the guest's status-listen\n"
		if got := strings.Contains(text.String(), hint); got != want {
			t.Errorf("%q:\n%s", address, &text)
		}
	}
	r := Report{RateHz: rateHz, NoStatusAt: "127.0.0.1:8713"}
	r.judge(readingsOf(100, 100, 100)) // the control, without a bridge
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || strings.Contains(text.String(), "--address") {
		t.Errorf("%v\n%s", err, &text)
	}
}

func TestTheHistogramHasAtMostTwentyRows(t *testing.T) {
	for _, spread := range [][2]float64{{256, 256}, {255.95, 256.04}, {0, 1.9}, {0, 2}, {243, 307}, {-0.4, 32767}} {
		width := binWidth(spread[0], spread[1])
		if rows := bin(spread[1], width) - bin(spread[0], width) + 1; rows > histogramRows || width < 0.1 {
			t.Errorf("%v: %d rows of %g frames", spread, rows, width)
		}
	}
}

func TestTheJSONHasTheDocumentedFields(t *testing.T) {
	r := Report{RateHz: rateHz, Path: []string{}, Parted: []string{}}
	r.judge(readingsOf(100, 0))
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"server", "rate", "period_frames", "seconds", "path", "parted", "round_trip_frames", "round_trip_ms",
		"inverted", "window_frames", "intact", "damaged", "missing", "dropouts", "server_xruns", "server_lost_ms", "no_status_at", "bridge", "timer", "readings",
	} {
		if _, found := fields[name]; !found {
			t.Errorf("no field %s", name)
		}
		delete(fields, name)
	}
	for name := range fields {
		t.Errorf("field %s is new: document it", name)
	}
	if !strings.Contains(string(text), `"state":"missing"`) || !strings.Contains(string(text), `"p99":100`) {
		t.Errorf("%s", text)
	}
}

func TestTimerLatenessIsNeverNegativeAndInOrder(t *testing.T) {
	l, err := TimerLateness(time.Millisecond, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if l.IntervalUs != 1000 || l.P50Us <= 0 || l.P99Us < l.P50Us || l.P999Us < l.P99Us || l.MaxUs < l.P999Us {
		t.Errorf("%+v", l)
	}
	if l.Policy != "SCHED_OTHER" && l.Policy != fmt.Sprintf("SCHED_FIFO %d", timerPriority) {
		t.Errorf("policy %q", l.Policy)
	}
}

// Go's scheduler would run anything on a thread that kept its priority.
func TestTheTimersThreadIsOrdinaryAfterwards(t *testing.T) {
	if _, err := TimerLateness(time.Millisecond, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if count := realTimeThreads(t); count > 0 {
		t.Fatalf("%d threads of this process are SCHED_FIFO", count)
	}
}

func realTimeThreads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, task := range tasks {
		line, err := os.ReadFile("/proc/self/task/" + task.Name() + "/stat")
		if err != nil {
			continue // has just ended
		}
		fields := strings.Fields(string(line[bytes.LastIndexByte(line, ')')+1:]))
		if policy := fields[38]; policy == "1" { // SCHED_FIFO (proc_pid_stat(5), field 41)
			count++
		}
	}
	return count
}

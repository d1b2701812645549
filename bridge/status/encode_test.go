package status

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

// sample is a guest in the middle of its work.
func sample() Status {
	return Status{
		SchemaVersion: SchemaVersion, End: "guest", Version: "1.2.3", UptimeSeconds: 3723.5, Name: "lab",
		Audio:   Audio{Server: "jack default", State: AudioRunning, Rate: 48000, PeriodFrames: 32, Xruns: 3, XrunsTotal: 5, Realtime: true},
		Machine: Machine{CPUAwake: true, MemoryLocked: true, CPUs: "2,3", RealtimeBy: RealtimeByKit},
		Session: Session{State: SessionUp, Peer: "192.168.122.1:4713", ID: "7f3a", Reconnects: 1},
		Directions: Directions{
			Send: Direction{
				State: DirectionRunning, Peer: "192.168.122.1:4713", Format: "F32", Channels: 2, Rate: 48000,
				PacketFrames: 32, Counts: Counts{Packets: 1000}, Total: Counts{Packets: 3000, SendErrors: 8}, LatencyMs: Latency{Bridge: 0.98, Total: 2.5},
				LatencyErrorMs: 0.04, LatencyBy: LatencyByPeer,
				PeakDBFS: []Decibels{-6.02, Decibels(math.Inf(-1))},
			},
			Receive: Direction{
				State: DirectionSilent, Peer: "192.168.122.1:4713", Format: "L24", Channels: 1, Rate: 48000,
				PacketFrames: 64, Counts: Counts{Packets: 900, Lost: 5, Late: 4, Duplicate: 3, Recovered: 2, ConcealedFrames: 64, Dropouts: 1, Xruns: 7},
				Total: Counts{Packets: 2000, Lost: 50, RejectedBy: Rejected{SSRC: 12}}, BufferFrames: 40.25, BufferTargetFrames: 40, RatioPPM: -17.5,
				JitterUs: Jitter{P50: 35, P99: 113, Max: 753}, PeakDBFS: []Decibels{-20},
				LatencyStagesMs: Stages{Wire: 0.07, Wait: 0.1, Resample: 0.25, Playout: 0.667},
			},
		},
		Problems: []Problem{}, Guests: []Status{},
	}
}

func encode(t *testing.T, s Status) string {
	t.Helper()
	line, err := Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

// paths lists every field of a JSON object, with its kind.
func paths(prefix string, value any, into map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			paths(prefix+"."+key, inner, into)
		}
	case []any:
		into[prefix] = "list"
	default:
		into[prefix] = "value"
	}
}

// fields are all fields of a JSON object, with their kinds.
func fields(t *testing.T, text []byte) map[string]string {
	t.Helper()
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	paths("", decoded, found)
	return found
}

// What an end has to say never depends on what it does.
func TestJSONAlwaysHasAllFields(t *testing.T) {
	recorded, err := os.ReadFile("testdata/status.json")
	if err != nil {
		t.Fatal(err)
	}
	want := fields(t, recorded)
	got := fields(t, []byte(encode(t, Status{})))
	for path := range want {
		if got[path] != want[path] {
			t.Errorf("an end that has just started: field %s is missing, or is no %s", path, want[path])
		}
	}
	for path := range got {
		if want[path] == "" {
			t.Errorf("an end that has just started: field %s is not in testdata/status.json", path)
		}
	}
}

// Programs read this; docs/status.md says when SchemaVersion has to grow. A new key is
// added to the file, and no other line of it changes.
func TestJSONIsTheRecordedOne(t *testing.T) {
	want, err := os.ReadFile("testdata/status.json")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, []byte(encode(t, sample())), "", "  "); err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestJSONIsOneLine(t *testing.T) {
	if text := encode(t, sample()); strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Errorf("not one line: %q", text)
	}
}

func TestJSONOfProblemsAndCounts(t *testing.T) {
	s := sample()
	s.Problems = []Problem{{"send-errors", SideSend, "cannot send to 192.0.2.7:4713: network is unreachable"}}
	d := &s.Directions.Receive
	d.Rejected, d.RejectedBy = 28, Rejected{1, 2, 3, 4, 5, 6, 7}
	d.Total = Counts{Packets: 1, Lost: 2, Late: 3, Duplicate: 4, Recovered: 6, ConcealedFrames: 7, Dropouts: 8, Xruns: 9,
		Waited: 11, Unanswered: 12, LeftOut: 13, MadeUp: 14, Takeovers: 15, GivenUp: 16, SendErrors: 10, Rejected: 28, RejectedBy: d.RejectedBy}
	text := encode(t, s)
	for _, part := range []string{
		`"problems":[{"code":"send-errors","side":"send","text":"cannot send to 192.0.2.7:4713: network is unreachable"}]`,
		`"rejected":28,"rejected_by":{"kernel":1,"source":2,"ssrc":3,"payload_type":4,"malformed":5,"outside":6,"rtcp":7},"total":`,
		`"total":{"packets":1,"lost":2,"late":3,"duplicate":4,"recovered":6,"concealed_frames":7,"dropouts":8,"xruns":9,` +
			`"waited":11,"unanswered":12,"left_out":13,"made_up":14,"takeovers":15,"given_up":16,"send_errors":10,` +
			`"rejected":28,"rejected_by":{"kernel":1,"source":2,"ssrc":3,"payload_type":4,"malformed":5,"outside":6,"rtcp":7}}`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	if text := encode(t, Status{}); !strings.Contains(text, `"problems":[]`) {
		t.Errorf("no problems are no list: %s", text)
	}
}

func TestJSONComesBackAsItWas(t *testing.T) {
	want := sample()
	var got Status
	if err := json.Unmarshal([]byte(encode(t, want)), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func TestSilenceAndUnknownLatencyAreNull(t *testing.T) {
	text := encode(t, sample())
	for _, part := range []string{`"peak_dbfs":[-6.02,null]`, `"latency_ms":{"bridge":0.980,"total":2.500}`, `"latency_ms":{"bridge":null,"total":null}`,
		`"latency_error_ms":0.040,"latency_by":"peer"`, `"latency_stages_ms":{"capture":null,"packet":null,"codec":null,"wire":0.070,"wait":0.100,"resample":0.250,"playout":0.667}`} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
}

func TestValuesThatJSONDoesNotHaveDoNotBreakIt(t *testing.T) {
	s := sample()
	s.UptimeSeconds = math.NaN()
	d := &s.Directions.Receive
	d.BufferFrames, d.BufferTargetFrames, d.RatioPPM = math.Inf(1), math.NaN(), math.Inf(-1)
	d.JitterUs = Jitter{math.NaN(), math.NaN(), math.NaN()}
	d.LatencyMs = Latency{Milliseconds(math.NaN()), Milliseconds(math.Inf(1))}
	d.PeakDBFS = []Decibels{Decibels(math.NaN()), Decibels(math.Inf(1))}
	if text := encode(t, s); !json.Valid([]byte(text)) || !strings.Contains(text, `"peak_dbfs":[null,null]`) {
		t.Errorf("not JSON, or peaks not null: %s", text)
	}
}

func TestEncodeLeavesTheCallersStatusAlone(t *testing.T) {
	s := sample()
	s.Directions.Receive.RatioPPM = math.Inf(1)
	encode(t, s)
	if !math.IsInf(s.Directions.Receive.RatioPPM, 1) {
		t.Error("Encode changed its argument")
	}
}

func TestDecibels(t *testing.T) {
	for linear, want := range map[float64]string{1: "0.0", 0.5: "-6.0", 2: "6.0", 0: "-inf"} {
		if got := DecibelsOf(linear).String(); got != want {
			t.Errorf("amplitude %v: %s dBFS, want %s", linear, got, want)
		}
	}
}

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/roundtrip"
)

// benched runs the command bench with a measurement that returns report and
// err, and returns what it was asked for as well.
func benched(t *testing.T, report *roundtrip.Report, err error, args ...string) (o outcome, asked *roundtrip.Options) {
	t.Helper()
	t.Setenv("JACK_DEFAULT_SERVER", "")
	var stdout, stderr bytes.Buffer
	o.code = Main(append([]string{"bench"}, args...), &stdout, &stderr, Runners{
		Bench: func(_ context.Context, options roundtrip.Options) (*roundtrip.Report, error) {
			asked = &options
			return report, err
		},
	})
	o.stdout, o.stderr = stdout.String(), stderr.String()
	return o, asked
}

func TestBenchMeasuresTheBridgeForTenSecondsUnlessToldOtherwise(t *testing.T) {
	usual := roundtrip.Options{
		Server: "default", Seconds: 10,
		To: "archibald-to-host:in_1", From: "archibald-from-host:out_1", Status: "127.0.0.1:8713",
	}
	control, effect := usual, usual
	control.Server, control.Seconds, control.To, control.From = "rt", 60, "archibald-bench:in", ""
	effect.To, effect.From = "effect:in", "effect:out"
	elsewhere := usual
	elsewhere.Status = "127.0.0.1:9000"
	for _, test := range []struct {
		args []string
		want roundtrip.Options
	}{
		{nil, usual},
		{[]string{"--seconds", "60", "--jack-server", "rt", "--to", "archibald-bench:in", "--from", "none"}, control},
		{[]string{"--from=effect:out", "--to=effect:in"}, effect},
		{[]string{"--address", "127.0.0.1:9000"}, elsewhere},
	} {
		o, asked := benched(t, &roundtrip.Report{}, nil, test.args...)
		if o.code != exitFine || asked == nil || *asked != test.want {
			t.Errorf("%q: code %d, asked for %+v, want %+v; %s", test.args, o.code, asked, test.want, o.stderr)
		}
	}
}

func TestWrongFlagsOfBenchSayWhatIsLegal(t *testing.T) {
	for _, test := range []struct {
		args []string
		line string
	}{
		{[]string{"--seconds", "0"}, `--seconds: "0": legal is 1 to 600`},
		{[]string{"--seconds", "601"}, `--seconds: "601": legal is 1 to 600`},
		{[]string{"--seconds", "ten"}, `--seconds: "ten": legal is 1 to 600`},
		{[]string{"--to", "none"}, `--to: "none": legal is CLIENT:PORT`},
		{[]string{"--to", ""}, `--to: "": legal is CLIENT:PORT`},
		{[]string{"--from", "effect"}, `--from: "effect": legal is CLIENT:PORT or none`},
		{[]string{"--from", ""}, `--from: "": legal is CLIENT:PORT or none`},
		{[]string{"--address", "8713"}, `--address: "8713": legal is HOST:PORT`},
		{[]string{"--jack-server", ""}, `--jack-server: "": legal is a name that is not empty`},
		{[]string{"--plot", "x.svg"}, `unknown flag --plot; see --help`},
	} {
		o, asked := benched(t, &roundtrip.Report{}, nil, test.args...)
		wantLine(t, o, exitUsage, test.line)
		if asked != nil {
			t.Errorf("%q: measured %+v", test.args, *asked)
		}
	}
}

func TestBenchPrintsATableOrOneLineOfJSON(t *testing.T) {
	report := &roundtrip.Report{Server: "rt", RateHz: 48000, PeriodFrames: 64}
	o, _ := benched(t, report, nil)
	contains(t, o.stdout, "rt, 48000 Hz, 64 frames", "nothing was heard")
	o, _ = benched(t, report, nil, "--json")
	var got roundtrip.Report
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil || got.PeriodFrames != 64 || strings.Count(o.stdout, "\n") != 1 {
		t.Errorf("%q: %v", o.stdout, err)
	}
}

func TestBenchEndsWithTheCodeOfWhatWentWrong(t *testing.T) {
	o, _ := benched(t, nil, errors.New("no port"))
	wantLine(t, o, exitFailed, "no port")
	o, _ = benched(t, nil, fault.ErrNeverReached)
	wantLine(t, o, exitNeverReached, "never reached")
	// What was measured is printed whatever came after it.
	o, _ = benched(t, &roundtrip.Report{Server: "rt"}, errors.New("not put back"))
	if o.code != exitFailed || !strings.Contains(o.stdout, "rt, 0 Hz") || o.stderr != "archibald-bridge: not put back\n" {
		t.Errorf("code %d, %q, %q", o.code, o.stdout, o.stderr)
	}
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/status"
)

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
		line string
	}{
		{errors.New("out of memory"), 1, "out of memory"},
		{errors.New("two\nlines"), 1, "two lines"},
		{context.Canceled, 1, "context canceled"},
		{fmt.Errorf("the peer: %w in 5s", fault.ErrNeverReached), 3, "the peer: never reached in 5s"},
		{&fault.WrongValue{Where: "--rate", Value: "44100", Legal: "48000, the server's rate"}, 2, `--rate: "44100": legal is 48000, the server's rate`},
	} {
		o := program(t, test.err, "guest")
		if o.code != test.code || !strings.HasSuffix(o.stderr, "\narchibald-bridge: "+test.line+"\n") {
			t.Errorf("%v: exit code %d, standard error\n%s", test.err, o.code, o.stderr)
		}
	}
	if o := program(t, nil, "host"); o.code != 0 {
		t.Errorf("an end that ended in good order: exit code %d", o.code)
	}
}

func TestLogGoesToStandardErrorInTheFormAskedFor(t *testing.T) {
	o := program(t, nil, "guest")
	contains(t, o.stderr, "level=INFO msg=runs end=guest")
	o = program(t, nil, "guest", "--log-format", "json")
	var line struct{ Level, Msg, End string }
	if err := json.Unmarshal([]byte(o.stderr), &line); err != nil || line.Msg != "runs" || line.End != "guest" {
		t.Errorf("%q: %v", o.stderr, err)
	}
	if o.stdout != "" {
		t.Errorf("standard output %q", o.stdout)
	}
}

func TestHelpShowsExamplesFlagsAndDefaults(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"guest", "--help"}, {"host", "-h"}, {"status", "--help"}} {
		if o := program(t, nil, args...); o.code != 0 || o.stderr != "" || !strings.HasPrefix(o.stdout, "Usage: archibald-bridge") || o.end != "" {
			t.Errorf("%q: exit code %d, standard error %q, standard output %q", args, o.code, o.stderr, o.stdout)
		}
	}
	contains(t, program(t, nil, "--help").stdout, "guest", "host", "status", "config check", "version")
	unwrapped := strings.Join(strings.Fields(program(t, nil, "guest", "--help").stdout), " ")
	contains(t, unwrapped, "Examples:", "--connect 'SuperCollider:out_*", "--jack-server=NAME", "(1 to 64; default 2)", "127.0.0.1:8713")
	contains(t, program(t, nil, "host", "--help").stdout, "Examples:", "--host-period=FRAMES", "127.0.0.1:8714")
	for _, line := range strings.Split(program(t, nil, "host", "--help").stdout, "\n") {
		if len(line) > 100 {
			t.Errorf("a line of the help is wider than 100 columns: %q", line)
		}
	}
}

func TestDevicesAreListedWithoutASession(t *testing.T) {
	if o := program(t, nil, "devices"); o.code != exitFine || o.stdout != "the devices\n" || o.stderr != "" {
		t.Errorf("%+v", o)
	}
	o := program(t, errors.New("built without it"), "devices")
	if o.code != exitFailed || o.stderr != "archibald-bridge: built without it\n" {
		t.Errorf("%+v", o)
	}
}

func TestVersion(t *testing.T) {
	o := program(t, nil, "version")
	if o.code != 0 || !strings.HasPrefix(o.stdout, "archibald-bridge "+status.Version+" (go") {
		t.Errorf("exit code %d, %q", o.code, o.stdout)
	}
}

func TestConfigCheck(t *testing.T) {
	path := writeFile(t, config.Example)
	if o := program(t, nil, "config", "check", path); o.code != 0 || o.stdout != "bridge.toml: no mistakes found\n" {
		t.Errorf("exit code %d, %q, %q", o.code, o.stdout, o.stderr)
	}
	path = writeFile(t, "[host]\nchannels = 2\nfrom-guest = 'sink'\n")
	wantLine(t, program(t, nil, "config", "check", path), 2, `bridge.toml:3: from-guest: "sink": legal is stream or source`)
	wantLine(t, program(t, nil, "config", "check", "absent"), 2, `open absent: no such file or directory`)
}

func serveStatus(t *testing.T) string {
	t.Helper()
	s, err := status.Listen(netip.MustParseAddrPort("127.0.0.1:0"), func() status.Status {
		return status.Status{End: "host", Version: "1", Audio: status.Audio{Server: "pipewire", State: status.AudioRunning}}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.Addr().String()
}

func TestStatusOfAnEndThatAnswers(t *testing.T) {
	address := serveStatus(t)
	o := program(t, nil, "status", "--address", address)
	if o.code != 0 || o.stderr != "" {
		t.Errorf("exit code %d, %q", o.code, o.stderr)
	}
	contains(t, o.stdout, "host  archibald-bridge 1", "pipewire running", "send", "receive")

	o = program(t, nil, "status", "--json", "--address", address)
	var s status.Status
	if err := json.Unmarshal([]byte(o.stdout), &s); err != nil || s.End != "host" {
		t.Errorf("%q: %v", o.stdout, err)
	}
}

func TestStatusOfNothingIsOneLine(t *testing.T) {
	wantLine(t, program(t, nil, "status", "--address", "127.0.0.1:1"), 1, "no bridge answers at 127.0.0.1:1: connection refused")
	wantLine(t, program(t, nil, "status", "--json", "--address", "127.0.0.1:1"), 1, "no bridge answers at 127.0.0.1:1: connection refused")
}

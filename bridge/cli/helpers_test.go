package cli

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"archibald-bridge/bridge/config"
)

// outcome is what one run of the program did.
type outcome struct {
	code           int
	stdout, stderr string
	end            string // which runner ran
	config         config.Config
}

// program runs the program with runners that note what they were given and
// return err.
func program(t *testing.T, err error, args ...string) outcome {
	t.Helper()
	t.Setenv("JACK_DEFAULT_SERVER", "")
	var o outcome
	var stdout, stderr bytes.Buffer
	runner := func(name string) func(context.Context, config.Config, *slog.Logger) error {
		return func(_ context.Context, c config.Config, log *slog.Logger) error {
			o.end, o.config = name, c
			log.Info("runs", "end", name)
			return err
		}
	}
	o.code = Main(args, &stdout, &stderr, Runners{Guest: runner("guest"), Host: runner("host"),
		Devices: func(w io.Writer) error { _, _ = io.WriteString(w, "the devices\n"); return err }})
	o.stdout, o.stderr = stdout.String(), stderr.String()
	return o
}

// wantLine checks that the program failed with exactly this line.
func wantLine(t *testing.T, o outcome, code int, line string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d", o.code, code)
	}
	if o.stderr != "archibald-bridge: "+line+"\n" {
		t.Errorf("standard error\n got %q\nwant %q", o.stderr, "archibald-bridge: "+line+"\n")
	}
	if o.stdout != "" {
		t.Errorf("standard output %q", o.stdout)
	}
	if o.end != "" {
		t.Errorf("the %s ran", o.end)
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bridge.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "bridge.toml"
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

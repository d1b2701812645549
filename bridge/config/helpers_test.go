package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"archibald-bridge/proto"
)

// arrowRule stands in for the real parser of connection rules.
func arrowRule(rule string) error {
	if !strings.Contains(rule, "->") {
		return errors.New("no ->")
	}
	return nil
}

// write puts text in a file called bridge.toml and makes its folder current, so
// that messages begin with the bare file name.
func write(t *testing.T, text string) string {
	t.Helper()
	t.Setenv("JACK_DEFAULT_SERVER", "")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bridge.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "bridge.toml"
}

func load(t *testing.T, role proto.Role, text string) (Config, error) {
	t.Helper()
	return Source{File: write(t, text), ConnectRule: arrowRule}.Load(role)
}

func mustLoad(t *testing.T, role proto.Role, text string) Config {
	t.Helper()
	c, err := load(t, role, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %q", want)
	}
	if err.Error() != want {
		t.Errorf("error\n got %s\nwant %s", err, want)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Error("the error has more than one line")
	}
}

func missingFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "absent.toml")
}

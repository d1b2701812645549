package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The README's make build gives a program that runs and takes the example of a
// configuration.
func TestTheReadmesBuildRuns(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "archibald-bridge")
	run := func(name string, args ...string) string {
		out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	run("make", "build", "VERSION=readme", "BINARY="+binary, "TRIMPATH=") // with it, all is compiled once more
	if version := run(binary, "version"); !strings.Contains(version, "readme") {
		t.Errorf("archibald-bridge version says %q", version)
	}
	run(binary, "config", "check", "bridge/config/example.toml")
}

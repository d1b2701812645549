package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// newMirror is a machine whose apt fetches one package with a program in it.
func newMirror(t *testing.T, osRelease string) machine {
	t.Helper()
	m := newMachine(t, osRelease, "go1.24.4")
	m.program(t, "apt-get", `if [ "$1" = indextargets ]; then exec /usr/bin/apt-get "$@"; fi
for word; do case $word in Dir::Cache=*) cache=${word#*=} ;; Dir::Etc::SourceParts=*) sources=${word#*=} ;; esac; done
if [ "${@: -1}" = update ]; then cat "$sources"/* >>"`+m.calls+`"; exit; fi
echo "apt-get ${*##*=}" | sed 's/.*--download-only/--download-only/' >>"`+m.calls+`"
touch "$cache/archives/player_9.8-7_all.deb"`)
	m.program(t, "dpkg-deb", `if [ "$1" = -f ]; then echo 9.8-7; exit; fi
tree=$(mktemp -d); mkdir -p "$tree/usr/bin" "$tree/usr/lib/x86_64-linux-gnu"
printf '#!/bin/sh\n' >"$tree/usr/bin/play"; printf '#!/bin/sh\necho "$@"\n' >"$tree/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
chmod +x "$tree"/usr/lib/*/ld*; tar -c -C "$tree" .; rm -rf "$tree"`)
	m.program(t, "gcc", "echo x86_64-linux-gnu")
	return m
}

const bookworm = debian12 + "VERSION_CODENAME=bookworm\n"

func (m machine) unpack(t *testing.T, args ...string) (int, string, []string) {
	t.Helper()
	return m.run(t, exec.CommandContext(t.Context(), "bash", append([]string{"unpack.sh"}, args...)...))
}

func TestAProgramOfAnotherSuiteIsStartedByItsOwnLoaderWithItsOwnLibraries(t *testing.T) {
	m := newMirror(t, bookworm)
	folder := filepath.Join(t.TempDir(), "players", "new")
	code, said, calls := m.unpack(t, "testing", "play", folder, "player", "player-data")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	if got := strings.Join(calls, "\n"); !strings.Contains(got, "debian testing main") || !strings.Contains(got, "--download-only -t testing install player player-data") {
		t.Errorf("calls\n%s", got)
	}
	if version, err := os.ReadFile(filepath.Join(folder, "version")); err != nil || string(version) != "9.8-7\n" {
		t.Errorf("version %q, %v", version, err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(folder, "bin", "play"), "a tune").CombinedOutput()
	lib := filepath.Join(folder, "root/usr/lib/x86_64-linux-gnu")
	if err != nil || !strings.HasPrefix(string(out), "--argv0 play --library-path "+folder+"/jack:"+lib+":") || !strings.HasSuffix(string(out), folder+"/root/usr/bin/play a tune\n") {
		t.Errorf("started as %q, %v", out, err)
	}
	if _, _, calls := m.unpack(t, "testing", "play", folder, "player"); strings.Count(strings.Join(calls, "\n"), "--download-only") != 1 {
		t.Errorf("what was there is fetched again: %q", calls)
	}
}

func TestBackportsComeWithTheReleaseThatTheyLeanOn(t *testing.T) {
	_, _, calls := newMirror(t, bookworm).unpack(t, "bookworm-backports", "play", filepath.Join(t.TempDir(), "new"), "player")
	got := strings.Join(calls, "\n")
	for _, want := range []string{"debian bookworm-backports main", "debian bookworm main", "-t bookworm-backports install player"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func TestWithoutDebianThereIsNoPlaceToUnpackFrom(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	code, said, _ := newMirror(t, ubuntu+"VERSION_CODENAME=noble\n").unpack(t, "testing", "play", folder, "player")
	if code != 1 || !strings.Contains(said, `no suite of Debian called "noble"`) {
		t.Errorf("exit code %d, said %q", code, said)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("there is a folder with nothing in it")
	}
	if code, said, _ := newMirror(t, bookworm).unpack(t, "testing", "play", folder); code != 2 || !strings.Contains(said, "usage:") {
		t.Errorf("without a package: exit code %d, said %q", code, said)
	}
}

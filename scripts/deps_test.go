package scripts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// machine is a computer that the script believes to be on: its programs that
// look and install are fakes that write down how they were called.
type machine struct {
	folder string
	calls  string // file with a line per call
}

// newMachine pretends a system with a Go of some version, on which all packages
// are installed but the missing ones.
func newMachine(t *testing.T, osRelease, goVersion string, missing ...string) machine {
	t.Helper()
	m := machine{folder: t.TempDir()}
	m.calls = filepath.Join(m.folder, "calls")
	m.file(t, "os-release", osRelease)
	m.file(t, "missing", strings.Join(missing, "\n")+"\n")
	m.file(t, "calls", "")
	m.program(t, "go", "echo "+goVersion)
	m.program(t, "dpkg-query", `grep -qx -- "${@: -1}" "`+m.folder+`/missing" || printf installed`)
	// Which sources there are apt itself tells.
	m.program(t, "apt-get", `if [ "$1" = indextargets ]; then exec /usr/bin/apt-get "$@"; fi; echo "apt-get $DEBIAN_FRONTEND $*" >>"`+m.calls+`"`)
	m.file(t, "apt.conf", fmt.Sprintf("Dir::Etc::SourceList %q;\nDir::Etc::SourceParts %q;\nDir::State::Lists %q;\n",
		filepath.Join(m.folder, "sources.list"), filepath.Join(m.folder, "sources.d"), filepath.Join(m.folder, "lists")))
	for _, folder := range []string{"sources.d", "lists"} {
		if err := os.Mkdir(filepath.Join(m.folder, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	m.file(t, "sources.list", "deb http://deb.debian.org/debian bookworm main\n")
	m.program(t, "tee", `echo "tee $* <<< $(cat)" >>"`+m.calls+`"`)
	m.program(t, "id", "echo 0")
	return m
}

func (m machine) file(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m machine) program(t *testing.T, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.folder, name), []byte("#!/bin/bash\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// deps runs the script without a terminal. It returns the exit code, what the
// script said, and the calls it made.
func (m machine) deps(t *testing.T, args ...string) (int, string, []string) {
	t.Helper()
	return m.run(t, exec.CommandContext(t.Context(), "bash", append([]string{"deps.sh"}, args...)...))
}

// depsAtATerminal runs the script where somebody answers its question; an empty
// answer is the end of input.
func (m machine) depsAtATerminal(t *testing.T, answer string, args ...string) (int, string, []string) {
	t.Helper()
	terminal := exec.CommandContext(t.Context(), "script", "-qec", "bash deps.sh "+strings.Join(args, " "), "/dev/null")
	terminal.Stdin = strings.NewReader(answer)
	return m.run(t, terminal)
}

func (m machine) run(t *testing.T, script *exec.Cmd) (int, string, []string) {
	t.Helper()
	script.Env = append(os.Environ(), "PATH="+m.folder+":"+os.Getenv("PATH"), "OS_RELEASE="+filepath.Join(m.folder, "os-release"),
		"APT_CONFIG="+filepath.Join(m.folder, "apt.conf"))
	said, err := script.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	calls, err := os.ReadFile(m.calls)
	if err != nil {
		t.Fatal(err)
	}
	return script.ProcessState.ExitCode(), string(said), strings.Split(strings.TrimSuffix(string(calls), "\n"), "\n")
}

const (
	debian12 = "ID=debian\nVERSION_ID=\"12\"\n"
	debian13 = "ID=debian\nVERSION_ID=\"13\"\n"
	ubuntu   = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n"
)

func TestNothingIsDoneWhereNothingIsMissing(t *testing.T) {
	for _, system := range []string{debian12, debian13} {
		for _, purpose := range []string{"build", "test", "demo", "bench"} {
			code, said, calls := newMachine(t, system, "go1.24.4").deps(t, purpose)
			if code != 0 || said != "" || !slices.Equal(calls, []string{""}) {
				t.Errorf("%s: exit code %d, said %q, calls %q", purpose, code, said, calls)
			}
		}
	}
}

func TestMissingPackagesAreListedAndInstalledWithoutAQuestion(t *testing.T) {
	code, said, calls := newMachine(t, debian12, "go1.24.4", "jackd2", "gcc").deps(t, "demo")
	want := []string{"apt-get noninteractive -qq -y update", "apt-get noninteractive -qq -y install --no-install-recommends gcc jackd2"}
	if code != 0 || !strings.Contains(said, "gcc jackd2") || !slices.Equal(calls, want) {
		t.Errorf("exit code %d, said %q, calls %q", code, said, calls)
	}
	if strings.Contains(said, "apt source") {
		t.Errorf("an apt source is named though none is needed: %q", said)
	}
}

func TestAtATerminalItAsksAndTakesNoForAnAnswer(t *testing.T) {
	for answer, installs := range map[string]bool{"\n": true, "y\n": true, "n\n": false, "no\n": false, "what\n": false, "": false} {
		code, said, calls := newMachine(t, debian12, "go1.24.4", "gcc").depsAtATerminal(t, answer, "build")
		if (code == 0) != installs || (calls[0] != "") != installs || !strings.Contains(said, "Install? [Y/n]") {
			t.Errorf("answer %q: exit code %d, said %q, calls %q", answer, code, said, calls)
		}
	}
	if code, said, calls := newMachine(t, debian12, "go1.24.4", "gcc").depsAtATerminal(t, "n\n", "build", "--yes"); code != 0 || calls[0] == "" || strings.Contains(said, "Install?") {
		t.Errorf("--yes: exit code %d, said %q, calls %q", code, said, calls)
	}
}

func TestAptIsHeardOnlyWhenItFails(t *testing.T) {
	for status, heard := range map[string]bool{"0": false, "100": true} {
		m := newMachine(t, debian12, "go1.24.4", "gcc")
		m.program(t, "apt-get", "echo 'Unpacking gcc'; exit "+status)
		if _, said, _ := m.deps(t, "build"); strings.Contains(said, "Unpacking gcc") != heard {
			t.Errorf("exit code %s of apt-get: said %q", status, said)
		}
	}
}

func TestPackagesOfAnotherPurposeAreLeftAlone(t *testing.T) {
	if code, _, calls := newMachine(t, debian12, "go1.24.4", "jackd2", "clang-14").deps(t, "build", "--yes"); code != 0 || calls[0] != "" {
		t.Errorf("exit code %d, calls %q", code, calls)
	}
}

func TestDebian13HasItsOwnNames(t *testing.T) {
	_, said, _ := newMachine(t, debian13, "go1.24.4", "jack-example-tools", "clang", "clang-14").deps(t, "test", "--yes")
	if !strings.Contains(said, "jack-example-tools") || !strings.Contains(said, " clang\n") || strings.Contains(said, "clang-14") {
		t.Errorf("said %q", said)
	}
	_, said, _ = newMachine(t, debian12, "go1.24.4", "jack-example-tools", "clang", "clang-14").deps(t, "test", "--yes")
	if strings.Contains(said, "jack-example-tools") || !strings.Contains(said, "clang-14") {
		t.Errorf("said %q", said)
	}
}

func TestOldGoOnDebian12ComesFromBackportsWhichIsSaid(t *testing.T) {
	code, said, calls := newMachine(t, debian12, "go1.19.8").deps(t, "build", "--yes")
	const source = "deb http://deb.debian.org/debian bookworm-backports main"
	want := []string{
		"tee /etc/apt/sources.list.d/archibald-backports.list <<< " + source,
		"apt-get noninteractive -qq -y update",
		"apt-get noninteractive -qq -y install --no-install-recommends -t bookworm-backports golang-go golang-src",
	}
	if code != 0 || !strings.Contains(said, source) || !strings.Contains(said, "archibald-backports.list") || !slices.Equal(calls, want) {
		t.Errorf("exit code %d, said %q, calls %q", code, said, calls)
	}
}

// Backports come from where the machine has Debian from, the way it has it.
func TestBackportsComeFromTheMachinesOwnMirror(t *testing.T) {
	const key = "/usr/share/keyrings/debian-archive-keyring.gpg"
	for name, row := range map[string]struct{ list, sources, file, want string }{
		"one line": {
			list: "# deb http://old.example/debian bookworm main\ndeb-src http://mirror.example/debian bookworm main\n" +
				"deb [arch=amd64 signed-by=" + key + "] https://mirror.example:8080/debian bookworm main contrib\n" +
				"deb http://security.example/debian-security bookworm-security main\n",
			file: "list", want: "deb [arch=amd64 signed-by=" + key + "] https://mirror.example:8080/debian bookworm-backports main",
		},
		"one line without options": {
			list: "deb\tfile:/srv/debian   bookworm\tmain\n", file: "list", want: "deb file:/srv/debian bookworm-backports main",
		},
		"deb822": {
			sources: "Types: deb\nURIs: http://other.example/extra\nSuites: stable\nComponents: main\n\n\n" +
				"# the office's proxy\nTypes: deb deb-src\nURIs: http://apt.example/debian\n# twice\nSuites: bookworm\n  bookworm-updates\n" +
				"Components: main contrib\nArchitectures: amd64\nSigned-By: " + key + "\n\n" +
				"Types: deb\nURIs: http://apt.example/security\nSuites: bookworm-security\nComponents: main\n",
			file: "sources", want: "Types: deb\nURIs: http://apt.example/debian\nSuites: bookworm-backports\nComponents: main\nArchitectures: amd64\nSigned-By: " + key,
		},
	} {
		m := newMachine(t, debian12, "go1.19.8")
		m.file(t, "sources.list", row.list)
		m.file(t, "sources.d/debian.sources", row.sources)
		code, said, calls := m.deps(t, "build", "--yes")
		want := "tee /etc/apt/sources.list.d/archibald-backports." + row.file + " <<< " + row.want
		if got := strings.Join(calls, "\n"); code != 0 || !strings.HasPrefix(got, want+"\napt-get ") {
			t.Errorf("%s: exit code %d, said %q, called\n%s\nwant first\n%s", name, code, said, got, want)
		}
		if line := strings.Split(row.want, "\n")[0]; !strings.Contains(said, line) {
			t.Errorf("%s: %q is not said: %q", name, line, said)
		}
	}
}

func TestBackportsThatAreThereAreNotAdded(t *testing.T) {
	m := newMachine(t, debian12, "go1.19.8")
	m.file(t, "sources.list", "deb http://deb.debian.org/debian bookworm main\ndeb http://mirror.example/debian bookworm-backports main\n")
	code, said, calls := m.deps(t, "build", "--yes")
	if code != 0 || strings.Contains(said, "apt source") || len(calls) != 2 || !strings.HasSuffix(calls[1], "-t bookworm-backports golang-go golang-src") {
		t.Errorf("exit code %d, said %q, calls %q", code, said, calls)
	}
}

func TestWithoutDebianInAptThereAreNoBackports(t *testing.T) {
	m := newMachine(t, debian12, "go1.19.8")
	m.file(t, "sources.list", "deb http://mirror.example/other stable main\n")
	if code, said, calls := m.deps(t, "build", "--yes"); code != 1 || !strings.Contains(said, "no suite bookworm") || calls[0] != "" {
		t.Errorf("exit code %d, said %q, calls %q", code, said, calls)
	}
}

func TestMissingGoOnDebian13IsDebiansOwn(t *testing.T) {
	code, said, calls := newMachine(t, debian13, "none; exit 1").deps(t, "build", "--yes")
	if code != 0 || strings.Contains(said, "apt source") || calls[len(calls)-1] != "apt-get noninteractive -qq -y install --no-install-recommends golang-go" {
		t.Errorf("exit code %d, said %q, calls %q", code, said, calls)
	}
}

func TestEveryGoThatCanFetchANewerOneServes(t *testing.T) {
	for version, serves := range map[string]bool{
		"go1.19.8": false, "go1.20": false, "go1.21.0": true, "go1.23.4": true, "go1.25rc1": true, "go1.26.8": true, "go2.0": true,
	} {
		if _, _, calls := newMachine(t, debian13, version).deps(t, "build", "--yes"); (calls[0] == "") != serves {
			t.Errorf("%s: calls %q", version, calls)
		}
	}
}

func TestAFailedInstallationIsAFailure(t *testing.T) {
	m := newMachine(t, debian12, "go1.24.4", "gcc")
	m.program(t, "apt-get", `case $* in *update*) exit 0;; esac; exit 100`)
	if code, _, _ := m.deps(t, "build", "--yes"); code == 0 {
		t.Error("exit code 0")
	}
}

func TestAnUnreadableAptSourceIsNoFailure(t *testing.T) {
	m := newMachine(t, debian12, "go1.24.4", "gcc")
	m.program(t, "apt-get", `case $* in *update*) exit 100;; esac`)
	if code, said, _ := m.deps(t, "build", "--yes"); code != 0 {
		t.Errorf("exit code %d, said %q", code, said)
	}
}

func TestNotRootUsesSudo(t *testing.T) {
	m := newMachine(t, debian12, "go1.24.4", "gcc")
	m.program(t, "id", "echo 1000")
	m.program(t, "sudo", `echo "sudo $*" >>"`+m.calls+`"; "$@"`)
	_, _, calls := m.deps(t, "build", "--yes")
	if calls[0] != "sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y update" {
		t.Errorf("calls %q", calls)
	}
}

func TestOtherSystemsAreToldWhatIsMissing(t *testing.T) {
	m := newMachine(t, ubuntu, "go1.19.8")
	code, said, calls := m.deps(t, "build")
	if code != 2 || !strings.Contains(said, "Go 1.21 or newer") || !strings.Contains(said, "not Debian 12") || calls[0] != "" {
		t.Errorf("exit code %d, said %q, calls %q", code, said, calls)
	}
	if code, _, calls := newMachine(t, "ID=debian\nVERSION_ID=11\n", "go1.15", "gcc").deps(t, "build"); code != 2 || calls[0] != "" {
		t.Errorf("Debian 11: exit code %d, calls %q", code, calls)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"cook"}, {"build", "--no"}} {
		if code, said, _ := newMachine(t, debian12, "go1.24.4", "gcc").deps(t, args...); code != 2 || !strings.Contains(said, "usage:") {
			t.Errorf("%q: exit code %d, said %q", args, code, said)
		}
	}
}

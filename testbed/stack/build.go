package stack

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// built holds open what this process has built, because the folder of a build is removed
// with its Stack.
var built = struct {
	sync.Mutex
	files map[string]*os.File
}{files: map[string]*os.File{}}

// Build compiles a program of this module, with the build tag that all need (decision
// 11) and further ones; with the tag race, under Go's race detector. It needs Go, and a
// working directory inside the module. Linking takes seconds: a process links each program
// once and copies it from then on, and so do all processes of one run of the tests
// (scripts/gate.sh), which have a folder for it.
func Build(binary, program string, tags ...string) error {
	joined := strings.Join(append([]string{"nolibopusfile"}, tags...), ",")
	args := []string{"build", "-tags", joined, "-o"}
	if slices.Contains(tags, "race") { // Go sets the tag itself
		args = slices.Insert(args, 1, "-race")
	}
	link := func(to string) error { return run(exec.Command("go", append(args, to, program)...)) }
	key := program + " " + joined
	built.Lock()
	defer built.Unlock()
	known := built.files[key]
	var err error
	switch folder := os.Getenv("ARCHIBALD_PROGRAMS"); {
	case known != nil:
		// By another process: a program that this one has open for writing while some
		// goroutine forks cannot be started ("text file busy").
		return run(exec.Command("cp", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), known.Fd()), binary))
	case folder != "":
		err = linkOnce(filepath.Join(folder, url.PathEscape(key)), binary, link)
	default:
		err = link(binary)
	}
	if err != nil {
		return fmt.Errorf("building %s: %w", program, err)
	}
	built.files[key], err = os.Open(binary)
	return err
}

// linkOnce copies a program that several processes want, of which the first links it.
func linkOnce(kept, binary string, link func(to string) error) error {
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(kept+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // which unlocks it
	if err := flock(lock, syscall.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Stat(kept); err != nil {
		if err := link(kept + ".new"); err != nil {
			return err
		}
		if err := os.Rename(kept+".new", kept); err != nil {
			return err
		}
	}
	return run(exec.Command("cp", kept, binary))
}

func run(command *exec.Cmd) error {
	out, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return err
}

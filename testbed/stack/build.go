package stack

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// built holds open what this process has built, because the folder of a build is removed
// with its Stack.
var built = struct {
	sync.Mutex
	files map[string]*os.File
}{files: map[string]*os.File{}}

// Build compiles a program of this module, with the build tag that all need (decision
// 11) and further ones; with the tag race, under Go's race detector. It needs Go, and a
// working directory inside the module. A process links each program once, which takes
// seconds, and copies it from then on.
func Build(binary, program string, tags ...string) error {
	joined := strings.Join(append([]string{"nolibopusfile"}, tags...), ",")
	key := program + " " + joined
	built.Lock()
	defer built.Unlock()
	args := []string{"build", "-tags", joined, "-o", binary, program}
	if slices.Contains(tags, "race") { // Go sets the tag itself
		args = slices.Insert(args, 1, "-race")
	}
	command := exec.Command("go", args...)
	known := built.files[key]
	if known != nil {
		// By another process: a program that this one has open for writing while some
		// goroutine forks cannot be started ("text file busy").
		command = exec.Command("cp", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), known.Fd()), binary)
	}
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("building %s: %w: %s", program, err, bytes.TrimSpace(out))
	}
	if known == nil {
		built.files[key], err = os.Open(binary)
	}
	return err
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// unpacked is a program of another Debian suite. It lies in a folder with all libraries
// that it needs, beside the installed one (scripts/unpack.sh).
type unpacked struct {
	suite, program string
	packages       []string // the first one's version is the program's
}

var (
	pipeWireBackports = &unpacked{"bookworm-backports", "pipewire", pipeWirePackages}
	pipeWireNewest    = &unpacked{"sid", "pipewire", pipeWirePackages}
	jackTripNewest    = &unpacked{"testing", "jacktrip-cli", []string{"jacktrip"}}
)

var pipeWirePackages = []string{"pipewire", "pipewire-bin", "libpipewire-0.3-modules", "libspa-0.2-modules"}

func (u *unpacked) String() string { return u.packages[0] + " of " + u.suite }

// folder is where programs keep what can be fetched again.
func (u *unpacked) folder() (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "archibald-bridge", u.suite+"-"+u.program), err
}

// fetch unpacks it, once, and returns its folder.
func (u *unpacked) fetch() (string, error) {
	folder, err := u.folder()
	if err != nil {
		return "", err
	}
	args := append([]string{u.suite, u.program, folder}, u.packages...)
	if out, err := exec.Command("scripts/unpack.sh", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w: %s", u, err, strings.TrimSpace(string(out)))
	}
	return folder, nil
}

// version is Debian's.
func (u *unpacked) version() (string, error) {
	folder, err := u.folder()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(folder, "version"))
	return strings.TrimSpace(string(text)), err
}

// needed are the unpacked programs of systems, each once.
func needed(systems []*system) []*unpacked {
	var all []*unpacked
	for _, s := range systems {
		if s.needs != nil && !slices.Contains(all, s.needs) {
			all = append(all, s.needs)
		}
	}
	return all
}

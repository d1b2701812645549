package stack

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// Debian 13 has taken jackd2's small programs out of its package.
const jackTools = "jackd2 (Debian 12) or jack-example-tools (Debian 13)"

// debianPackage says which Debian package holds a program.
var debianPackage = map[string]string{
	"chrt":           "util-linux",
	"dbus-daemon":    "dbus-daemon",
	"dumpcap":        "tshark",
	"ffmpeg":         "ffmpeg",
	"gst-launch-1.0": "gstreamer1.0-tools",
	"jack_connect":   jackTools,
	"jack_freewheel": jackTools,
	"jack_lsp":       jackTools,
	"jack_wait":      jackTools,
	"ip":             "iproute2",
	"jackd":          "jackd2",
	"nsenter":        "util-linux",
	"pipewire":       "pipewire",
	"pw-cat":         "pipewire-bin",
	"pw-cli":         "pipewire-bin",
	"pw-dump":        "pipewire-bin",
	"pw-jack":        "pipewire-jack",
	"pw-link":        "pipewire-bin",
	"pw-metadata":    "pipewire-bin",
	"pw-record":      "pipewire-bin",
	"scsynth":        "supercollider-server",
	"ss":             "iproute2",
	"taskset":        "util-linux",
	"tshark":         "tshark",
	"unshare":        "util-linux",
	"wireplumber":    "wireplumber",
	"wpctl":          "wireplumber",
}

// find is where this Stack has a program.
func (s *Stack) find(program string) (string, error) {
	if s.Programs != "" {
		if path, err := exec.LookPath(filepath.Join(s.Programs, program)); err == nil {
			return path, nil
		}
	}
	return find(program)
}

// find returns the path of a program. When it is not installed, the error
// names the Debian package that has it.
func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil {
		return path, nil
	}
	if name, ok := debianPackage[program]; ok {
		return "", fmt.Errorf("%s is not installed: apt-get install %s", program, name)
	}
	return "", fmt.Errorf("%s: %w", program, err)
}

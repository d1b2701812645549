// Package jitterstore keeps what an end learned about its peers from one run of the
// program to the next, so that the latency is the same after a restart.
package jitterstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Bounds of what is believed from a file and kept in it.
const (
	maxFrames = 9600
	maxPeers  = 64
	maxBytes  = 64 << 10
)

// Memory is the jitter margin of each peer, in frames.
type Memory struct {
	path   string // "": forgotten at the end of the program
	frames map[string]int
}

// Path is the file of an end: in STATE_DIRECTORY (systemd.exec(5)), XDG_STATE_HOME
// or ~/.local/state; "" when the environment names none.
func Path(getenv func(string) string, end, name string) string {
	file := end + ".json"
	if name != "" {
		file = end + "-" + name + ".json"
	}
	if dir := getenv("STATE_DIRECTORY"); dir != "" {
		return filepath.Join(dir, file)
	}
	dir := getenv("XDG_STATE_HOME")
	if home := getenv("HOME"); dir == "" && home != "" {
		dir = filepath.Join(home, ".local", "state")
	}
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "archibald-bridge", file)
}

// Open reads the file. A memory comes back in any case; the error says what was
// wrong with a file that exists.
func Open(path string) (*Memory, error) {
	m := &Memory{path: path, frames: map[string]int{}}
	if path == "" {
		return m, nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer func() { _ = file.Close() }()
	text := make([]byte, maxBytes+1)
	n, err := file.Read(text)
	if err != nil || n > maxBytes {
		return m, fmt.Errorf("%s: not readable, starting again", path)
	}
	var frames map[string]int
	if err := json.Unmarshal(text[:n], &frames); err != nil {
		return m, fmt.Errorf("%s: %w, starting again", path, err)
	}
	for peer, f := range frames {
		m.keep(peer, f)
	}
	return m, nil
}

// Jitter returns the jitter margin of a peer, in frames; 0: not known.
func (m *Memory) Jitter(peer string) int { return m.frames[peer] }

// SetJitter keeps the jitter margin of a peer, in frames, and writes the file when
// that is news.
func (m *Memory) SetJitter(peer string, frames int) error {
	if m.frames[peer] == frames || !m.keep(peer, frames) || m.path == "" {
		return nil
	}
	text, err := json.MarshalIndent(m.frames, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.path), 0o700); err != nil {
		return err
	}
	// A crash leaves the old file or the new one, never half of one.
	next := m.path + ".new"
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, m.path)
}

func (m *Memory) keep(peer string, frames int) bool {
	if frames < 1 || frames > maxFrames {
		return false
	}
	if _, known := m.frames[peer]; !known && len(m.frames) >= maxPeers {
		for other := range m.frames { // any: names are cheap to make up
			delete(m.frames, other)
			break
		}
	}
	m.frames[peer] = frames
	return true
}

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
	"time"
)

// Bounds of what is believed from a file and kept in it.
const (
	maxFrames = 9600
	maxPeers  = 64
	maxBytes  = 64 << 10
)

// unprovenFor is how long a margin is kept that was not looked at in calm time: so that a
// restart finds it, and a machine that was busy once does not have it for days.
const unprovenFor = time.Hour

// Memory is the jitter margin of each peer.
type Memory struct {
	path  string // "": forgotten at the end of the program
	peers map[string]margin
	now   func() time.Time
}

// margin is what was learned about one peer.
type margin struct {
	Frames int `json:"frames"`
	// Unproven is when a margin was learned that was not looked at in calm time; the zero
	// time: it was.
	Unproven time.Time `json:"unproven,omitzero"`
}

// UnmarshalJSON also reads a number, as earlier versions wrote it.
func (m *margin) UnmarshalJSON(text []byte) error {
	type fields margin
	if json.Unmarshal(text, &m.Frames) == nil {
		return nil
	}
	return json.Unmarshal(text, (*fields)(m))
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
	m := &Memory{path: path, peers: map[string]margin{}, now: time.Now}
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
	var peers map[string]margin
	if err := json.Unmarshal(text[:n], &peers); err != nil {
		return m, fmt.Errorf("%s: %w, starting again", path, err)
	}
	for peer, learned := range peers {
		m.keep(peer, learned)
	}
	return m, nil
}

// Jitter returns the jitter margin of a peer, in frames; 0: not known. What is too old is
// forgotten: what is learned from now on is new, though it be the same.
func (m *Memory) Jitter(peer string) int {
	learned := m.peers[peer]
	if age := m.now().Sub(learned.Unproven); !learned.Unproven.IsZero() && (age < 0 || age > unprovenFor) {
		delete(m.peers, peer)
		return 0
	}
	return learned.Frames
}

// SetJitter keeps the jitter margin of a peer, in frames, and whether it was looked at in
// calm time. It writes the file when that is news.
func (m *Memory) SetJitter(peer string, frames int, proven bool) error {
	before := m.peers[peer]
	learned := margin{Frames: frames}
	if !proven {
		learned.Unproven = m.now().UTC().Truncate(time.Second)
	}
	// The same again, unproven, is what a session was given or told before: it neither ages
	// less nor more, also while the session lasts for hours.
	if before.Frames == frames && (!proven || before.Unproven.IsZero()) || !m.keep(peer, learned) || m.path == "" {
		return nil
	}
	text, err := json.MarshalIndent(m.peers, "", "\t")
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

func (m *Memory) keep(peer string, learned margin) bool {
	if learned.Frames < 1 || learned.Frames > maxFrames {
		return false
	}
	if _, known := m.peers[peer]; !known && len(m.peers) >= maxPeers {
		for other := range m.peers { // any: names are cheap to make up
			delete(m.peers, other)
			break
		}
	}
	m.peers[peer] = learned
	return true
}

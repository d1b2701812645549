package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"archibald-bridge/benchmarks/results"
)

// store is the file of one invocation, or of several that were interrupted.
type store struct {
	path string
	file results.File
}

// openStore reads the file, or begins one with what describe says about the
// machine. Runs of two states of the program do not mix.
func openStore(path, commit string, describe func() (results.Machine, error)) (*store, error) {
	s := &store{path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		s.file = results.File{Schema: 2, Date: time.Now().Format(time.DateOnly), Commit: commit}
		if s.file.Machine, err = describe(); err != nil {
			return nil, err
		}
		return s, s.write()
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &s.file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.file.Schema != 2 || s.file.Commit != commit {
		return nil, fmt.Errorf("%s: was measured at commit %s, this is %s: name another file by -out", path, s.file.Commit, commit)
	}
	return s, nil
}

// add writes the file again with one more run. At no moment is there half a file.
func (s *store) add(r results.Run) error {
	s.file.Runs = append(s.file.Runs, r)
	return s.write()
}

// write puts each run on a line of its own: a reader sees runs, and a difference
// of two files too.
func (s *store) write() error {
	empty := s.file
	empty.Runs = []results.Run{}
	text, err := json.MarshalIndent(empty, "", " ")
	if err != nil {
		return err
	}
	lines := []string{}
	for _, r := range s.file.Runs {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		lines = append(lines, "\n  "+string(line))
	}
	head, tail, _ := bytes.Cut(text, []byte("[]"))
	text = fmt.Appendf(nil, "%s[%s\n ]%s\n", head, strings.Join(lines, ","), tail)
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(s.path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(s.path+".new", s.path)
}

// remaining leaves out the trials that the file has.
func (s *store) remaining(trials []trial, seconds float64) []trial {
	var left []trial
	for _, t := range trials {
		done := false
		for _, r := range s.file.Runs {
			done = done || t.isDone(r, seconds)
		}
		if !done {
			left = append(left, t)
		}
	}
	return left
}

// programFiles are what the bridge is made of. Tests among them count, too; what
// only measures it or writes about it does not.
var programFiles = []string{"bridge", "guest", "host", "proto", "main.go", "go.mod"}

// commit names the state of the program that is measured: the last commit that
// changed it, and whether it was changed since.
func commit() (string, error) {
	out, err := exec.Command("git", append([]string{"log", "-1", "--format=%h", "--abbrev=12", "--"}, programFiles...)...).Output()
	if err != nil {
		return "", fmt.Errorf("git log: %w", err)
	}
	changes, err := exec.Command("git", append([]string{"status", "--porcelain", "--"}, programFiles...)...).Output()
	if err != nil {
		return "", fmt.Errorf("git status: %w", err)
	}
	name := strings.TrimSpace(string(out))
	if len(changes) > 0 {
		name += "-dirty"
	}
	return name, nil
}

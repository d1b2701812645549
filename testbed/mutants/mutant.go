package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutant is one guarantee, how it is broken, and who should notice.
type mutant struct {
	guarantee string // what holds, in a few words
	broken    string // what the edit does instead
	file      string // where, from the root of the project
	from, to  string // the edit: from is in the file exactly once
	in        string // the package whose tests should notice, from the root
	tests     string // which of them, as go test's -run
}

const tableHead = "| guarantee | broken how | caught by | seconds |\n|---|---|---|---:|"

// row is a line of the table below that.
func (m mutant) row(by string) string { return "\n| " + m.guarantee + " | " + m.broken + " | " + by }

// mutated is the file's text with the guarantee broken.
func (m mutant) mutated(text string) (string, error) {
	if n := strings.Count(text, m.from); n != 1 {
		return "", fmt.Errorf("%s: %s has the text %q %d times, want exactly once", m.guarantee, m.file, m.from, n)
	}
	return strings.Replace(text, m.from, m.to, 1), nil
}

// apply breaks the guarantee in the tree at root. restore mends it again.
func (m mutant) apply(root string) (restore func() error, err error) {
	path := filepath.Join(root, m.file)
	whole, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	broken, err := m.mutated(string(whole))
	if err != nil {
		return nil, err
	}
	return func() error { return os.WriteFile(path, whole, 0o644) }, os.WriteFile(path, []byte(broken), 0o644)
}

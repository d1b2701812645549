package rtcheck

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Symbols fails the test unless everything that the C files of a package offer to other
// objects begins with prefix and stays inside the program: libraries that it is linked
// with have names of their own, and may look ours up by chance.
func Symbols(t testing.TB, dir, prefix string) {
	t.Helper()
	found, err := Offered(t.TempDir(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for symbol, visibility := range found {
		if !strings.HasPrefix(symbol, prefix) {
			t.Errorf("C symbol %s does not begin with %s", symbol, prefix)
		}
		if visibility != "HIDDEN" {
			t.Errorf("C symbol %s is visible to libraries: -fvisibility=hidden", symbol)
		}
	}
}

var cgoFlags = regexp.MustCompile(`(?m)^#cgo CFLAGS: (.*)$`)

// Offered compiles the C files of a package into the folder objects, with the flags that
// its Go files give, and returns the visibility of each symbol that other objects can use.
func Offered(objects, dir string) (map[string]string, error) {
	source, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	sources, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return nil, err
	}
	var flags []string
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for _, line := range cgoFlags.FindAllStringSubmatch(string(text), -1) {
			flags = append(flags, strings.Fields(strings.ReplaceAll(line[1], "${SRCDIR}", source))...)
		}
	}
	files, err := filepath.Glob(filepath.Join(source, "*.c"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("no C files in " + source)
	}
	found := map[string]string{}
	for _, file := range files {
		object := filepath.Join(objects, filepath.Base(file)+".o")
		if _, err := run(source, compiler(), append(flags, "-c", "-o", object, file)...); err != nil {
			return nil, err
		}
		out, err := run(source, "readelf", "--syms", "--wide", object)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(out) {
			// number, value, size, type, binding, visibility, section, name
			f := strings.Fields(line)
			if len(f) == 8 && f[4] != "LOCAL" && f[4] != "Bind" && f[6] != "UND" {
				found[f[7]] = f[5]
			}
		}
	}
	return found, nil
}

func compiler() string {
	if cc := os.Getenv("CC"); cc != "" {
		return cc
	}
	return "cc"
}

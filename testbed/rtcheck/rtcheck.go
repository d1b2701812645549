// Package rtcheck holds C code that runs on an audio thread to the real-time
// rule: it calls nothing but what a list allows, each entry with its reason. It
// looks at the symbols that the compiled objects leave undefined (nm(1)), so it
// also sees what a macro or the compiler put in.
package rtcheck

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Undefined fails the test unless the C files of dir, compiled with flags, call
// exactly the functions that allowed names; the values are the reasons. What the
// files define for each other needs no entry. An allowance that nothing uses is
// an error too, so the list stays true.
func Undefined(t testing.TB, dir string, files, flags []string, allowed map[string]string) {
	t.Helper()
	forbidden, unused, err := Compare(t.TempDir(), dir, files, flags, allowed)
	if err != nil {
		t.Fatal(err)
	}
	for _, symbol := range forbidden {
		t.Errorf("real-time rule: %s is called by %v and not on the list", symbol, files)
	}
	for _, symbol := range unused {
		t.Errorf("real-time rule: %s is on the list, but %v do not call it", symbol, files)
	}
	for symbol, reason := range allowed {
		if reason == "" {
			t.Errorf("real-time rule: %s is allowed without a reason", symbol)
		}
	}
}

// Compare compiles the files into the folder objects and returns, sorted, the
// symbols they need that are not allowed and those allowed that they do not
// need. The compiler is $CC, else cc.
func Compare(objects, dir string, files, flags []string, allowed map[string]string) (forbidden, unused []string, err error) {
	needed, defined := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		object := filepath.Join(objects, strings.TrimSuffix(filepath.Base(file), ".c")+".o")
		args := append(slices.Clone(flags), "-c", "-o", object, file)
		if _, err := run(dir, compiler(), args...); err != nil {
			return nil, nil, err
		}
		for option, set := range map[string]map[string]bool{"--undefined-only": needed, "--defined-only": defined} {
			out, err := run(dir, "nm", "-P", option, object)
			if err != nil {
				return nil, nil, err
			}
			for line := range strings.Lines(out) {
				// nm -P: name, type, value, size
				name, _, _ := strings.Cut(strings.Fields(line)[0], "@")
				set[name] = true
			}
		}
	}
	for symbol := range needed {
		if !defined[symbol] && allowed[symbol] == "" {
			forbidden = append(forbidden, symbol)
		}
	}
	for symbol := range allowed {
		if !needed[symbol] {
			unused = append(unused, symbol)
		}
	}
	slices.Sort(forbidden)
	slices.Sort(unused)
	return forbidden, unused, nil
}

func run(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var message strings.Builder
	cmd.Stderr = &message
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, message.String())
	}
	return string(out), nil
}

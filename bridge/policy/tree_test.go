package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is the import path of the project, root its folder.
const (
	module = "archibald-bridge"
	root   = "../.."
)

// listed is what go list tells about a package.
type listed struct {
	ImportPath, Name, Dir, Doc               string
	GoFiles, CgoFiles                        []string
	Imports, Deps, TestImports, XTestImports []string
}

// path is the package's path inside the project, "." for the top.
func (p listed) path() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

// needs lists the packages of ours that p is built from, by their path inside the project.
func (p listed) needs() []string { return p.ours(p.Imports, p.Deps) }

// reaches is needs, with what the tests import.
func (p listed) reaches() []string { return p.ours(p.Imports, p.Deps, p.TestImports, p.XTestImports) }

func (p listed) ours(lists ...[]string) []string {
	var ours []string
	for _, list := range lists {
		for _, imported := range list {
			if path, found := strings.CutPrefix(imported, module+"/"); found && path != p.path() {
				ours = append(ours, path)
			}
		}
	}
	return ours
}

func packages(t *testing.T) []listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-json", "./...")
	command.Dir = root
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 5 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

// files lists the project's files with one of these endings, relative to root.
// What is built, measured or kept as test data is not the project's writing.
func files(t *testing.T, endings ...string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") && name != ".ci" || name == "testdata" || name == "vendor" || name == "bin" || name == "out") {
				return filepath.SkipDir
			}
			return nil
		}
		for _, ending := range endings {
			if strings.HasSuffix(name, ending) {
				relative, err := filepath.Rel(root, path)
				found = append(found, filepath.ToSlash(relative))
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("no file ends in %q", endings)
	}
	return found
}

// below says whether path is one of the folders or inside one.
func below(path string, folders ...string) bool {
	for _, folder := range folders {
		if path == folder || strings.HasPrefix(path, folder+"/") {
			return true
		}
	}
	return false
}

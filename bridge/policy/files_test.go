package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGoModStaysAtDebiansGo(t *testing.T) {
	mod := read(t, "go.mod")
	if !regexp.MustCompile(`(?m)^go 1\.24\.0$`).Match(mod) {
		t.Error("go.mod does not say go 1.24.0, the Go of Debian 13")
	}
	if regexp.MustCompile(`(?m)^toolchain`).Match(mod) {
		t.Error("go.mod has a toolchain line")
	}
}

func TestEveryPackageHasADocComment(t *testing.T) {
	for _, p := range packages(t) {
		begins := "Package " + p.Name + " "
		if p.Name == "main" {
			begins = "Command "
		}
		if !strings.HasPrefix(p.Doc, begins) && len(p.GoFiles)+len(p.CgoFiles) > 0 {
			t.Errorf("package %s has no doc comment that begins with %q", p.path(), begins)
		}
	}
}

// skips lists the calls that would skip a test.
func skips(t *testing.T, name string, source any) []string {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		call, ok := n.(*ast.SelectorExpr)
		if !ok || call.Sel.Name != "Skip" && call.Sel.Name != "Skipf" && call.Sel.Name != "SkipNow" {
			return true
		}
		if receiver, ok := call.X.(*ast.Ident); ok && (receiver.Name == "t" || receiver.Name == "b" || receiver.Name == "f" || receiver.Name == "tb") {
			found = append(found, set.Position(call.Pos()).String())
		}
		return true
	})
	return found
}

func TestNoTestIsSkipped(t *testing.T) {
	for _, file := range files(t, ".go") {
		for _, position := range skips(t, filepath.Join(root, file), nil) {
			t.Errorf("%s skips a test: a missing server is installed, or fails the run", strings.TrimPrefix(position, root+"/"))
		}
	}
}

func TestASkipIsFound(t *testing.T) {
	source := "package x\nfunc TestA(t *testing.T) { t.Skip(`x`) }\nfunc FuzzB(f *testing.F) { f.SkipNow() }\nfunc c(r reader) { r.Skip(3) }\n"
	if found := skips(t, "x.go", source); len(found) != 2 {
		t.Errorf("found %q, want the two skipped tests and not the reader", found)
	}
}

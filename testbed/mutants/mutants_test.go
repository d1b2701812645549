package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// The list is no use when the code has moved away under it.
func TestEveryMutantStillApplies(t *testing.T) {
	guarantees := map[string]bool{}
	for _, m := range mutants {
		text, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Errorf("%s: %v", m.guarantee, err)
			continue
		}
		broken, err := m.mutated(string(text))
		if err != nil {
			t.Error(err)
		} else if broken == string(text) {
			t.Errorf("%s: the edit changes nothing", m.guarantee)
		}
		if guarantees[m.guarantee] {
			t.Errorf("%s: listed twice", m.guarantee)
		}
		guarantees[m.guarantee] = true
	}
	if len(mutants) < 28 {
		t.Errorf("%d mutants", len(mutants))
	}
}

func TestTheTestsThatShouldNoticeAreThere(t *testing.T) {
	for _, m := range mutants {
		names := testsIn(t, filepath.Join(root, m.in))
		for pattern := range strings.SplitSeq(m.tests, "|") {
			wanted, err := regexp.Compile("^(" + pattern + ")$")
			if err != nil {
				t.Fatalf("%s: %v", m.guarantee, err)
			}
			found := false
			for _, name := range names {
				found = found || wanted.MatchString(name)
			}
			if !found {
				t.Errorf("%s: no test in %s matches %s", m.guarantee, m.in, pattern)
			}
		}
	}
}

func TestTheDocumentHasARowOfEachMutant(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), tableHead)
	if !found {
		t.Fatal("no table in docs/testing.md")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	if rows := strings.Count(table, "\n| "); rows != len(mutants) {
		t.Errorf("%d rows of %d mutants", rows, len(mutants))
	}
	for _, m := range mutants {
		if !strings.Contains(table, m.row("`")) {
			t.Errorf("no row that begins %s", m.row("`"))
		}
	}
}

func testsIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range parsed.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && f.Recv == nil {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

func TestAnEditThatIsNotFoundExactlyOnceIsRefused(t *testing.T) {
	for _, text := range []string{"", "a b", "a a"} {
		_, err := mutant{from: "a", to: "c"}.mutated(text)
		if once := text == "a b"; (err == nil) != once {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A small module with a test that notices some edits.
func TestWhoCaughtAMutantIsSaid(t *testing.T) {
	tree := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module example\n\ngo 1.24.0\n",
		"p/p.go":      "package p\n\nfunc Sum(a, b int) int { return a + b }\n",
		"p/p_test.go": "package p\n\nimport \"testing\"\n\nfunc TestFine(t *testing.T) {}\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n",
		"q/q_test.go": "package q\n\nimport \"testing\"\n\nfunc TestAlwaysFails(t *testing.T) { t.Error(1) }\n",
	} {
		if err := os.MkdirAll(filepath.Join(tree, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sum := mutant{guarantee: "sums", file: "p/p.go", from: "a + b", in: "p", tests: "TestFine|TestSum"}
	for to, want := range map[string]string{
		"a - b":        "`TestSum` in p",
		"*(*int)(nil)": "`TestSum` in p",
		"b + a":        "",
		"a + nothing":  "error", // does not compile
	} {
		m := sum
		m.to = to
		by, err := m.try(t.Context(), tree)
		if err != nil {
			by = "error"
		}
		if by != want {
			t.Errorf("%s: caught by %q, want %q", to, by, want)
		}
		if text, err := os.ReadFile(filepath.Join(tree, "p/p.go")); err != nil || !strings.Contains(string(text), "a + b }") {
			t.Fatalf("%s: not mended: %v\n%s", to, err, text)
		}
	}
	endless := sum
	endless.to = "func() int { select {} }()"
	restore, err := endless.apply(tree)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := runTests(t.Context(), tree, "p", endless.tests, 2*time.Second); err != nil || v.passed || v.by != "TestSum (never ends)" {
		t.Errorf("a test that never ends: %+v, %v", v, err)
	}
	if err := restore(); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]bool{"p": true, "q": false} {
		if err := sound(t.Context(), tree, []mutant{{in: in, tests: "Test.*"}}); (err == nil) != want {
			t.Errorf("%s is sound: %v", in, err)
		}
	}
}

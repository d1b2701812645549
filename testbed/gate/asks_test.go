package gate

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	top    = "../.."
	module = "archibald-bridge/"
)

// onlyAsking are the folders whose tests, so says scripts/gate.sh, only wait for what servers
// say although they reach what judges sound: they run several at once.
func onlyAsking(t *testing.T) (folders []string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(top, "scripts/gate.sh"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^readonly only_asks='(.*)'$`).FindSubmatch(script)
	if found == nil {
		t.Fatal("scripts/gate.sh has no only_asks")
	}
	asks := regexp.MustCompile(string(found[1]))
	err = filepath.WalkDir(top, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		folder, err := filepath.Rel(top, path)
		if asks.MatchString(module + filepath.ToSlash(folder) + ".test ") {
			folders = append(folders, folder)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// claims are the places in a program at which it takes the machine for itself.
func claims(t *testing.T, name string, text any) (places []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	shared := false
	var rigs []string // of endtoend.New, which shares the machine where it is told to
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, _ := selector.X.(*ast.Ident)
		at := files.Position(n.Pos()).String()
		switch {
		case selector.Sel.Name == "Shared":
			shared = true
		case of == nil:
		case of.Name == "stack" && selector.Sel.Name == "New", of.Name == "endtoend" && selector.Sel.Name == "NewHouse":
			places = append(places, at)
		case of.Name == "endtoend" && selector.Sel.Name == "New":
			rigs = append(rigs, at)
		}
		return true
	})
	if !shared {
		places = append(places, rigs...)
	}
	return places
}

func TestWhatOnlyAsksTakesNoMachineForItself(t *testing.T) {
	folders := onlyAsking(t)
	if len(folders) < 3 {
		t.Errorf("only_asks names %q", folders)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(top, folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %d files, %v", folder, len(files), err)
		}
		for _, file := range files {
			for _, place := range claims(t, file, nil) {
				t.Errorf("%s takes the machine for itself, and only_asks of scripts/gate.sh lets it run beside others: use stack.NewShared, or take it off that list", strings.TrimPrefix(place, top+"/"))
			}
		}
	}
}

func TestATestThatTakesTheMachineForItselfIsFound(t *testing.T) {
	for text, want := range map[string]int{
		"s, err := stack.New()":               1,
		"build(stack.New)":                    1,
		"s, err := stack.NewShared()":         0,
		"r, err := endtoend.New(c)":           1,
		"c.Shared = true\n\tendtoend.New(c)":  0,
		"h, err := endtoend.NewHouse(2)":      1,
		"h := http.NewRequest; errors.New(x)": 0,
	} {
		if got := claims(t, "x_test.go", "package x\n\nfunc f() {\n\t"+text+"\n}\n"); len(got) != want {
			t.Errorf("%q: %q, want %d", text, got, want)
		}
	}
}

// leftOut are the lists of scripts/gate.sh of tests that are left out where their packages' tests
// run (-skip) and run elsewhere (-run).
var leftOut = []string{"asks_beside", "arithmetic"}

// testsBy finds the folders of the tests whose names a pattern of go test -run or -skip matches.
func testsBy(t *testing.T, pattern string) map[string]bool {
	t.Helper()
	matches := regexp.MustCompile(pattern)
	in := map[string]bool{}
	err := filepath.WalkDir(top, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			if matches.Match(name[1]) {
				folder, _ := filepath.Rel(top, filepath.Dir(path))
				in["./"+filepath.ToSlash(folder)] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// A test that is left out by its name must have that name alone, and run elsewhere.
func TestATestThatIsLeftOutRunsElsewhere(t *testing.T) {
	var scripts []byte
	for _, name := range []string{"gate.sh", "test.sh"} {
		text, err := os.ReadFile(filepath.Join(top, "scripts", name))
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, text...)
	}
	for _, list := range leftOut {
		patterns := regexp.MustCompile(`(?m)^readonly ` + list + `='(.*)'$`).FindSubmatch(scripts)
		run := regexp.MustCompile(`-run "\$` + list + `" (.*)`).FindSubmatch(scripts)
		if patterns == nil || run == nil || !strings.Contains(string(scripts), `-skip "$`+list+`" `) {
			t.Errorf("scripts/ has no %s, or does not both run and skip it", list)
			continue
		}
		for _, pattern := range strings.Split(string(patterns[1]), "|") {
			in := testsBy(t, pattern)
			for folder := range in {
				if len(in) != 1 || !strings.Contains(" "+string(run[1])+" ", " "+folder+" ") {
					t.Errorf("%s of %s is in %v, and is run in %s", pattern, list, in, run[1])
				}
			}
			if len(in) == 0 {
				t.Errorf("there is no %s of %s", pattern, list)
			}
		}
	}
}

// Each -skip of a step is by a list that this package checks, or by whole names of one package.
func TestEveryListOfTestsThatAreLeftOutIsChecked(t *testing.T) {
	for _, name := range []string{"gate.sh", "test.sh"} {
		text, err := os.ReadFile(filepath.Join(top, "scripts", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, skip := range regexp.MustCompile(`-skip "?\$(\w+)`).FindAllSubmatch(text, -1) {
			if list := string(skip[1]); list != "follow" && !slices.Contains(leftOut, list) {
				t.Errorf("scripts/%s leaves out %s, and nothing holds that these tests run elsewhere", name, list)
			}
		}
	}
}

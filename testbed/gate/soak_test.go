package gate

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shortened are the functions of a file that do less in make test than in make soak, and all
// tests of the file.
func shortened(t *testing.T, name string, text any) (functions, tests []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, declared := range file.Decls {
		function, ok := declared.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if strings.HasPrefix(function.Name.Name, "Test") {
			tests = append(tests, function.Name.Name)
		}
		asks := false
		ast.Inspect(function, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(selector.Sel.Name, "Soak") {
				of, _ := selector.X.(*ast.Ident)
				asks = asks || of != nil && of.Name == "gate"
			}
			return true
		})
		if asks {
			functions = append(functions, function.Name.Name)
		}
	}
	return functions, tests
}

// unlisted are the functions of shortened that a document does not name. Of a function that is
// no test, some test of its folder is named.
func unlisted(document string, functions, tests []string) (missing []string) {
	named := func(test string) bool { return strings.Contains(document, "`"+test+"`") }
	some := false
	for _, test := range tests {
		some = some || named(test)
	}
	for _, function := range functions {
		if !named(function) && (strings.HasPrefix(function, "Test") || !some) {
			missing = append(missing, function)
		}
	}
	return missing
}

func TestWhatIsShorterThanInTheSoakIsInTheTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, "docs/testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	functions, tests := map[string][]string{}, map[string][]string{}
	found := 0
	err = filepath.WalkDir(top, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), top+"/")
		f, all := shortened(t, path, nil)
		functions[folder], tests[folder] = append(functions[folder], f...), append(tests[folder], all...)
		found += len(f)
		return nil
	})
	if err != nil || found < 20 {
		t.Errorf("found %d, %v", found, err)
	}
	for folder, of := range functions {
		if strings.Contains(string(text), "| attacks of `"+folder+"` |") {
			continue
		}
		for _, function := range unlisted(string(text), of, tests[folder]) {
			t.Errorf("%s: %s does less in make test than in make soak: docs/testing.md must say so, and why that is enough", folder, function)
		}
	}
}

func TestAShorterTestThatIsNotInTheTableIsFound(t *testing.T) {
	functions, tests := shortened(t, "x_test.go", `package x
func TestListed() { gate.Soak(1, 2) }
func TestNotListed() { for range gate.Soak(1, 2) {} }
func TestUsual() { other.Soak(1, 2); helper() }
func helper() bool { return gate.Soaking() }
`)
	if got := strings.Join(unlisted("| `TestListed` |", functions, tests), " "); got != "TestNotListed" {
		t.Errorf("found %q", got)
	}
	if got := strings.Join(unlisted("| `TestOfAnotherFolder` |", functions, tests), " "); got != "TestListed TestNotListed helper" {
		t.Errorf("found %q where nothing is listed", got)
	}
}

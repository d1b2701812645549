package clock

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the parameter table in docs/clock-recovery.md")

const document = "../../docs/clock-recovery.md"

var described = regexp.MustCompile(`(?s)^(.+)\nUnit: ([^.]+)\. From: (theory|recording|simulation|taste)(?:: ([^\n]+))?\.\n$`)

// parameterTable makes a table of the comments in parameters.go.
func parameterTable(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("parameters.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "parameters.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	n := 0
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		fmt.Fprintf(&table, "**%s**\n\n| parameter | value | unit | meaning | from |\n|---|---|---|---|---|\n", strings.TrimSuffix(g.Doc.Text(), ".\n"))
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			name, value := v.Names[0].Name, v.Values[0]
			parts := described.FindStringSubmatch(v.Doc.Text())
			if parts == nil || parts[3] != "taste" && parts[4] == "" {
				t.Errorf("%s: its comment is not meaning, unit and source (and, unless it is taste, a reason): %q", name, v.Doc.Text())
				continue
			}
			from := parts[3]
			if parts[4] != "" {
				from += ": " + parts[4]
			}
			text := string(source[set.Position(value.Pos()).Offset:set.Position(value.End()).Offset])
			fmt.Fprintf(&table, "| `%s` | `%s` | %s | %s | %s |\n", name, text, parts[2], strings.Join(strings.Fields(parts[1]), " "), from)
			n++
		}
		table.WriteString("\n")
	}
	if n < 60 {
		t.Errorf("%d parameters were read", n)
	}
	return table.String()
}

func TestParametersAreAsInTheDocument(t *testing.T) {
	const begin, end = "<!-- parameters -->\n", "<!-- /parameters -->"
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", document)
	}
	want := "\n" + parameterTable(t)
	if *update {
		if err := os.WriteFile(document, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("the table in %s is not that of parameters.go: go test ./bridge/clock -run Parameters -update", document)
	}
}

// A number with a name belongs into the table.
func TestNoOtherFileHasParameters(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || path == "parameters.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			g, ok := n.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				return true
			}
			for _, s := range g.Specs {
				for _, value := range s.(*ast.ValueSpec).Values {
					if name, isName := value.(*ast.Ident); !isName || name.Name != "iota" {
						t.Errorf("%s: %s is not in parameters.go", path, s.(*ast.ValueSpec).Names[0].Name)
					}
				}
			}
			return true
		})
	}
}

package policy

import (
	"regexp"
	"strings"
	"testing"
)

// cells are those of a line of a Markdown table.
func cells(line string) []string {
	parts := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	return parts
}

// named lists what the columns "in the code" of a document have in backticks.
func named(document string) (words []string) {
	column := -1
	for line := range strings.Lines(document) {
		if !strings.HasPrefix(line, "|") {
			column = -1
			continue
		}
		row := cells(line)
		if column < 0 {
			for i, head := range row {
				if head == "in the code" {
					column = i
				}
			}
			continue
		}
		if column < len(row) {
			for _, span := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[column], -1) {
				words = append(words, span[1])
			}
		}
	}
	return words
}

// word finds a whole identifier, key or flag.
func word(name string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^A-Za-z0-9_])` + regexp.QuoteMeta(name) + `($|[^A-Za-z0-9_])`)
}

func TestTheGlossarysNamesAreInTheCode(t *testing.T) {
	var source strings.Builder
	for _, file := range files(t, ".go", ".c", ".h") {
		if below(file, "proto", "bridge", "guest", "host") && !below(file, "bridge/policy") && !strings.HasSuffix(file, "_test.go") {
			source.Write(read(t, file))
		}
	}
	names := named(string(read(t, "docs/glossary.md")))
	for _, name := range names {
		if !word(name).MatchString(source.String()) {
			t.Errorf("docs/glossary.md names %s, and nothing in the code has that name", name)
		}
	}
	if len(names) < 50 {
		t.Errorf("found only %d names", len(names))
	}
}

func TestNamesAreTakenFromTheirColumn(t *testing.T) {
	found := named("| term | in the code | also |\n|---|---|---|\n| `a` | `b`, `c_d` | `e` |\n\n| f | `g` |\n")
	if got := strings.Join(found, " "); got != "b c_d" {
		t.Errorf("found %q", got)
	}
	if word("late").MatchString("late_ns lateness related") || !word("late").MatchString(`json:"late"`) {
		t.Error("a part of a name counts as a name")
	}
}

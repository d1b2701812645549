package policy

import (
	"regexp"
	"slices"
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

// row is a line of a table with this column.
type row struct {
	line  string
	names []string // what the column has in backticks
}

// rows lists those of the tables of a document that have a column of this title.
func rows(document, title string) (all []row) {
	column, inside := -1, false
	for line := range strings.Lines(document) {
		switch parts := cells(line); {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case !inside:
			column, inside = slices.Index(parts, title), true
		case column >= 0 && column < len(parts) && !strings.HasPrefix(line, "|---"):
			found := row{line: line}
			for _, span := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(parts[column], -1) {
				found.names = append(found.names, span[1])
			}
			all = append(all, found)
		}
	}
	return all
}

// hasWord says whether a text has a name as a whole identifier, key or flag. Not by a
// pattern: that takes a minute for all names under the race detector.
func hasWord(text, name string) bool {
	inWord := func(c byte) bool {
		return c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
	}
	for at := 0; ; at++ {
		next := strings.Index(text[at:], name)
		if next < 0 {
			return false
		}
		at += next
		end := at + len(name)
		if (at == 0 || !inWord(text[at-1])) && (end == len(text) || !inWord(text[end])) {
			return true
		}
	}
}

func TestTheGlossarysNamesAreInTheCode(t *testing.T) {
	var source strings.Builder
	for _, file := range files(t, ".go", ".c", ".h") {
		if below(file, "proto", "bridge", "guest", "host") && !below(file, "bridge/policy") && !strings.HasSuffix(file, "_test.go") {
			source.Write(read(t, file))
		}
	}
	names := 0
	for _, row := range rows(string(read(t, "docs/glossary.md")), "in the code") {
		for _, name := range row.names {
			names++
			if !hasWord(source.String(), name) {
				t.Errorf("docs/glossary.md names %s, and nothing in the code has that name", name)
			}
		}
	}
	if names < 50 {
		t.Errorf("found only %d names", names)
	}
}

// Each stop of the tour is in the file that it links, by every name that it gives.
func TestTheToursStopsAreThere(t *testing.T) {
	stops := rows(string(read(t, "docs/tour.md")), "names")
	for _, stop := range stops {
		linked := link.FindAllStringSubmatch(stop.line, -1)
		if len(linked) != 1 || len(stop.names) == 0 {
			t.Errorf("docs/tour.md: a stop has one file and at least one name, and this has not: %s", stop.line)
			continue
		}
		file := strings.TrimPrefix(linked[0][1], "../")
		source := string(read(t, file))
		for _, name := range stop.names {
			if !hasWord(source, name) {
				t.Errorf("docs/tour.md names %s in %s, which does not have it", name, file)
			}
		}
	}
	if len(stops) < 25 {
		t.Errorf("found only %d stops", len(stops))
	}
}

func TestNamesAreTakenFromTheirColumn(t *testing.T) {
	found := rows("| term | in the code | also |\n|---|---|---|\n| `a` | `b`, `c_d` | `e` |\n\n| f |\n|---|\n| `g` |\n", "in the code")
	if len(found) != 1 || strings.Join(found[0].names, " ") != "b c_d" {
		t.Errorf("found %q", found)
	}
	if hasWord("late_ns lateness related", "late") || !hasWord(`json:"late"`, "late") || !hasWord("related late", "late") {
		t.Error("a part of a name counts as a name")
	}
}

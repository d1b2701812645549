package policy

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// code is what Markdown shows as it is: indented and fenced blocks, and spans.
var code = regexp.MustCompile("(?ms)^```.*?^```|^    .*?$|`[^`\n]+`")

// headingMarks are what GitHub and Forgejo leave out of a heading's anchor.
var headingMarks = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchors lists the headings of a document as links name them.
func anchors(document string) map[string]bool {
	found := map[string]bool{}
	fenced := false
	for line := range strings.Lines(document) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if title := strings.TrimLeft(line, "#"); !fenced && title != line && strings.HasPrefix(title, " ") {
			name := headingMarks.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			found[strings.ReplaceAll(name, " ", "-")] = true
		}
	}
	return found
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)|<img src="([^"]+)"`)

// broken lists the links of a document to files or headings that are not there.
// read returns a file by its path below the project's folder.
func broken(file, document string, read func(string) (string, error)) (all []string) {
	for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(document, ""), -1) {
		target := match[1] + match[2]
		if strings.Contains(target, "://") {
			continue
		}
		name, anchor, named := strings.Cut(target, "#")
		linked := document
		if name != "" {
			var err error
			if linked, err = read(path.Join(path.Dir(file), name)); err != nil {
				all = append(all, target)
				continue
			}
		}
		if named && !anchors(linked)[anchor] {
			all = append(all, target)
		}
	}
	return all
}

// text reads a file, or says that a folder is there.
func text(name string) (string, error) {
	full := filepath.Join(root, name)
	if info, err := os.Stat(full); err != nil || info.IsDir() {
		return "", err
	}
	data, err := os.ReadFile(full)
	return string(data), err
}

func TestEveryLinkInTheDocumentsLeadsSomewhere(t *testing.T) {
	links := 0
	for _, file := range files(t, ".md") {
		document := string(read(t, file))
		links += len(link.FindAllString(document, -1))
		for _, target := range broken(file, document, text) {
			t.Errorf("%s links to %s, which is not there", file, target)
		}
	}
	if links < 50 {
		t.Errorf("found only %d links: this test looks in the wrong place", links)
	}
}

func TestABrokenLinkIsFound(t *testing.T) {
	document := "# One, two: `three`\n[a](b.md) [b](#one-two-three) [c](gone.md) [d](b.md#gone) ![e](img/gone.svg)\n" +
		"<img src=\"gone.png\"> [f](https://example.org/gone) `[g](gone.md)`\n\n    [h](gone.md)\n"
	found := broken("docs/a.md", document, func(name string) (string, error) {
		if name == "docs/b.md" {
			return "# here\n", nil
		}
		return "", os.ErrNotExist
	})
	if got := strings.Join(found, " "); got != "gone.md b.md#gone img/gone.svg gone.png" {
		t.Errorf("found %q", got)
	}
}

// past are documents that tell of what was: names in them may be gone.
func past(file string) bool {
	return file == "CHANGELOG.md" || file == "docs/ROADMAP.md" || below(file, "docs/decisions")
}

var fileName = regexp.MustCompile("`(?:\\./)?((?:bridge|guest|host|proto|testbed|benchmarks|nix|scripts|docs|packaging|examples)/[A-Za-z0-9_./-]*)`")

func TestEveryFileThatTheDocumentsNameIsThere(t *testing.T) {
	names := 0
	for _, file := range files(t, ".md") {
		if past(file) {
			continue
		}
		for _, match := range fileName.FindAllStringSubmatch(string(read(t, file)), -1) {
			names++
			if _, err := os.Stat(filepath.Join(root, match[1])); err != nil {
				t.Errorf("%s names %s, which is not there", file, match[1])
			}
		}
	}
	if names < 20 {
		t.Errorf("found only %d names", names)
	}
}

// What a document tells to run with go test -run is a part of some test's name.
func TestTheTestsThatTheDocumentsNameAreThere(t *testing.T) {
	var tests []string
	for _, file := range files(t, "_test.go") {
		for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)`).FindAllStringSubmatch(string(read(t, file)), -1) {
			tests = append(tests, match[1])
		}
	}
	patterns := 0
	for _, file := range files(t, ".md") {
		if past(file) {
			continue
		}
		for _, match := range regexp.MustCompile("-run '?([A-Za-z|_]+)").FindAllStringSubmatch(string(read(t, file)), -1) {
			for pattern := range strings.SplitSeq(match[1], "|") {
				patterns++
				if !slices.ContainsFunc(tests, func(name string) bool { return strings.Contains(name, pattern) }) {
					t.Errorf("%s names the test %s, which is not there", file, pattern)
				}
			}
		}
	}
	if patterns < 5 {
		t.Errorf("found only %d names", patterns)
	}
}

// floors are the packages in the architecture's table, by floor: 0 is the top.
func floors(document string) map[string]int {
	floor, found := -1, map[string]int{}
	for _, row := range rows(document, "folder") {
		if cells(row.line)[0] != "" {
			floor++
		}
		for _, name := range row.names {
			found[strings.TrimSuffix(name, "/")] = floor
		}
	}
	return found
}

// Who looks for a room finds it in the house, and no arrow points up.
func TestTheHouseIsAsTheArchitectureSays(t *testing.T) {
	floor := floors(string(read(t, "docs/architecture.md")))
	for _, p := range packages(t) {
		if !below(p.path(), "proto", "bridge", "guest", "host") || p.Name == "main" || below(p.path(), "bridge/policy") {
			continue
		}
		own, has := floor[p.path()]
		if !has {
			t.Errorf("docs/architecture.md does not have %s", p.path())
		}
		for _, imported := range p.Imports {
			path, ours := strings.CutPrefix(imported, module+"/")
			if other := floor[path]; ours && other < own {
				t.Errorf("%s is on floor %d and needs %s on floor %d above it", p.path(), own, path, other)
			}
		}
	}
}

func TestFloorsAreReadFromTheTable(t *testing.T) {
	found := floors("| floor | folder | what |\n|---|---|---|\n| top | `a/`, `b/` | `x/` |\n| | `c/` | |\n| ground | `d/` | |\n")
	if len(found) != 4 || found["a"] != 0 || found["c"] != 0 || found["d"] != 1 {
		t.Errorf("found %v", found)
	}
}

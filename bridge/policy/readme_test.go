package policy

import (
	"regexp"
	"strings"
	"testing"
)

const readmeLines = 120

func TestTheReadmeIsShort(t *testing.T) {
	if lines := strings.Count(string(read(t, "README.md")), "\n"); lines > readmeLines {
		t.Errorf("README.md has %d lines, at most %d are allowed", lines, readmeLines)
	}
}

// commands are the indented lines of the README without their comments.
func commands(t *testing.T) (all []string) {
	t.Helper()
	for line := range strings.Lines(string(read(t, "README.md"))) {
		if indented, is := strings.CutPrefix(line, "    "); is {
			command, _, _ := strings.Cut(indented, "  #")
			all = append(all, strings.TrimSpace(command))
		}
	}
	return all
}

// elsewhere are the beginnings of lines that no test can run here: they change
// the machine, need an audio server, or are what the demo prints.
var elsewhere = []string{"sudo install bin/archibald-bridge ", "jackd ", "guest -> host ", "PASS: "}

// Every line that the README tells to type is a target of the Makefile, or a
// command of the program (the tests of bridge/cli parse those), or known here.
func TestTheReadmesCommandsAreThere(t *testing.T) {
	targets := regexp.MustCompile(`(?m)^([a-z-]+):`)
	made := map[string]bool{}
	for _, match := range targets.FindAllStringSubmatch(string(read(t, "Makefile")), -1) {
		made[match[1]] = true
	}
	seen := map[string]bool{}
	for _, command := range commands(t) {
		words := strings.Fields(command)
		known := words[0] == "archibald-bridge"
		if words[0] == "make" {
			known = made[words[1]]
			seen[words[1]] = true
		}
		for _, beginning := range elsewhere {
			known = known || strings.HasPrefix(command, beginning)
		}
		if !known {
			t.Errorf("README.md says %q, and nothing here knows that", command)
		}
	}
	for _, target := range []string{"build", "demo", "test"} {
		if !seen[target] {
			t.Errorf("README.md does not say make %s", target)
		}
	}
}

package policy

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

const readmeLines = 120

func TestTheReadmeIsShort(t *testing.T) {
	if lines := strings.Count(string(read(t, "README.md")), "\n"); lines > readmeLines {
		t.Errorf("README.md has %d lines, at most %d are allowed", lines, readmeLines)
	}
}

// commands are those of the README's indented lines, without comments.
func commands(t *testing.T) (all []string) {
	t.Helper()
	for line := range strings.Lines(string(read(t, "README.md"))) {
		if indented, is := strings.CutPrefix(line, "    "); is {
			command, _, _ := strings.Cut(indented, "  #")
			all = append(all, strings.Split(strings.TrimSpace(command), " && ")...)
		}
	}
	return all
}

// elsewhere are the beginnings of lines that no test can run here: they change
// the machine, need an audio server, or are what the demo prints.
var elsewhere = []string{"sudo install bin/archibald-bridge ", "jackd ", "guest -> host ", "PASS: "}

// targets are those of the Makefile.
func targets(t *testing.T) map[string]bool {
	t.Helper()
	made := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(read(t, "Makefile")), -1) {
		made[match[1]] = true
	}
	return made
}

// Every line that the README tells to type is a target of the Makefile, or a
// command of the program (the tests of bridge/cli parse those), a script, or known
// here.
func TestTheReadmesCommandsAreThere(t *testing.T) {
	made, seen, scripts := targets(t), map[string]bool{}, files(t, ".sh")
	for _, command := range commands(t) {
		words := strings.Fields(command)
		known := words[0] == "archibald-bridge" || slices.Contains(scripts, words[0])
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
	for _, target := range []string{"build", "demo", "check", "test", "soak"} {
		if !seen[target] {
			t.Errorf("README.md does not say make %s", target)
		}
	}
}

func TestWhatTheDocumentsMakeIsInTheMakefile(t *testing.T) {
	made, found := targets(t), 0
	for _, file := range files(t, ".md") {
		if past(file) {
			continue
		}
		for _, match := range regexp.MustCompile("(?m)(?:^    |`)make ([a-z-]+)").FindAllStringSubmatch(string(read(t, file)), -1) {
			found++
			if !made[match[1]] {
				t.Errorf("%s says make %s, and the Makefile has no such target", file, match[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d only", found)
	}
}

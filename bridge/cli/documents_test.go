package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"archibald-bridge/bridge/config"
)

// words splits a line as a shell does that knows single quotes and comments only.
var words = regexp.MustCompile(`'[^']*'|[^\s']+`)

func split(line string) (args []string) {
	line, _, _ = strings.Cut(line, "  #")
	for _, word := range words.FindAllString(line, -1) {
		args = append(args, strings.Trim(word, "'"))
	}
	return args
}

// blocks are the indented parts of a document.
func blocks(t *testing.T, file string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block := ""
	for line := range strings.Lines(string(text) + "\nend\n") {
		if code, is := strings.CutPrefix(line, "    "); is {
			block += code
		} else if block != "" && strings.TrimSpace(line) != "" {
			found, block = append(found, block), ""
		}
	}
	return found
}

// What the documents say to type is legal, and so are the configurations that they show.
func TestTheDocumentsCommandsAndConfigurationsAreLegal(t *testing.T) {
	files := []string{"../../README.md", "../../docs/security.md", "../../docs/interop.md", "../../docs/scale.md", "../../docs/howto.md"}
	texts := map[string][]string{}
	for _, file := range files {
		texts[file] = blocks(t, file)
	}
	// The files that the commands name.
	named := map[string]string{"bridge.secret": config.NewSecret(), "bridge.toml": config.Example}
	for _, block := range texts["../../docs/interop.md"] {
		if strings.HasPrefix(block, "v=0") {
			named["in.sdp"] = block
		}
	}
	t.Chdir(t.TempDir())
	for name, text := range named {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := filepath.Abs("bridge.secret")
	if err != nil {
		t.Fatal(err)
	}
	commands, configurations := 0, 0
	for file, blocks := range texts {
		for _, block := range blocks {
			if section := regexp.MustCompile(`(?m)^\[(guest|host)\]$`).FindStringSubmatch(block); section != nil {
				configurations++
				path := filepath.Join(t.TempDir(), "bridge.toml")
				text := strings.ReplaceAll(block, "/etc/archibald-bridge/bridge.secret", secret)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if o := program(t, nil, "config", "check", path); o.code != exitFine {
					t.Errorf("%s: %s\n%s", file, block, o.stderr)
				}
				continue
			}
			for line := range strings.Lines(block) {
				line, _, into := strings.Cut(line, " > bridge")
				args := split(line)
				if len(args) < 2 || args[0] != "archibald-bridge" || args[1] == "status" || args[1] == "bench" {
					continue
				}
				commands++
				o := program(t, nil, args[1:]...)
				if o.code != exitFine || into && o.stdout == "" || (args[1] == "host" || args[1] == "guest") && o.end != args[1] {
					t.Errorf("%s: %s: exit code %d, %s", file, strings.TrimSpace(line), o.code, o.stderr)
				}
			}
		}
	}
	if commands < 18 || configurations < 1 {
		t.Errorf("found %d commands and %d configurations only", commands, configurations)
	}
}

// Every flag that these documents name is one of guest, host or status.
func TestTheFlagsInTheDocumentsAreThere(t *testing.T) {
	known := map[string]bool{"config": true, "json": true, "address": true}
	for _, role := range config.Roles {
		for _, key := range config.Keys(role) {
			known[key.Name] = true
		}
	}
	found := 0
	for _, name := range []string{"README.md", "docs/howto.md", "docs/troubleshooting.md", "docs/latency.md", "docs/security.md", "docs/status.md"} {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range regexp.MustCompile("[` ]--([a-z][a-z-]+)").FindAllStringSubmatch(string(text), -1) {
			found++
			if !known[flag[1]] {
				t.Errorf("%s names --%s, and no command has that flag", name, flag[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("found %d flags only", found)
	}
}

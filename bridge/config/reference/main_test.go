package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"archibald-bridge/bridge/config"
)

func TestWhatIsGeneratedIsCommitted(t *testing.T) {
	for path, want := range files() {
		got, err := os.ReadFile(filepath.Join("../../..", path))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is not what the keys say: go generate ./bridge/config", path)
		}
	}
}

// Every indented block of the example's comments is a file of its own.
func TestSuggestionsOfTheExampleAreLegal(t *testing.T) {
	section := ""
	found := 0
	for block := range strings.SplitSeq(example(), "\n\n") {
		if table := regexp.MustCompile(`(?m)^\[\w+\]$`).FindString(block); table != "" {
			section = table
		}
		suggestions := regexp.MustCompile(`(?m)^#   (\S[^\[\n]*|\S*  *= \[\n(#     .*\n)*#   \])$`).FindAllString(block, -1)
		for _, suggestion := range suggestions {
			found++
			path := filepath.Join(t.TempDir(), "bridge.toml")
			text := section + "\n" + strings.ReplaceAll(suggestion, "#   ", "")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := config.Check(path, func(string) error { return nil }); err != nil {
				t.Errorf("%s: %v", suggestion, err)
			}
		}
	}
	if found < 8 {
		t.Errorf("found %d suggestions only", found)
	}
}

func TestEveryKeyHasRightAndWrongValues(t *testing.T) {
	anyText := map[string]bool{}
	for role, keys := range cases() {
		for _, c := range keys {
			key, _ := config.FindKey(c.Key)
			if key.Type == config.Text && key.Pattern == "" {
				anyText[c.Key] = true
			} else if len(c.Wrong) == 0 {
				t.Errorf("%s: no value of %s is wrong", role, c.Key)
			}
			if len(c.Right) == 0 {
				t.Errorf("%s: no value of %s is right", role, c.Key)
			}
		}
	}
	if len(anyText) != 6 {
		t.Errorf("keys that take every text: %v", anyText)
	}
}

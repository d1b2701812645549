package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// keyCases are values of one key. The tests of the NixOS module read the same file.
type keyCases struct {
	Key          string
	Right, Wrong []any
}

func readCases(t *testing.T) map[proto.Role][]keyCases {
	t.Helper()
	data, err := os.ReadFile("../../nix/tests/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var all map[proto.Role][]keyCases
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// flagsFor are the flags that give a key the value.
func flagsFor(key string, value any) (flags []string) {
	values, isList := value.([]any)
	if !isList {
		values = []any{value}
	}
	for _, value := range values {
		flags = append(flags, fmt.Sprintf("--%s=%v", key, value))
	}
	return flags
}

// fileFor is the file that gives the key of an end the value. TOML writes these values
// as JSON does.
func fileFor(t *testing.T, role proto.Role, key string, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("[%s]\n%s = %s\n", role, key, text)
}

// A value that is right by itself may need another key: what that is, the error says.
func refusedForAnother(key, message string) bool {
	found, _ := config.FindKey(key)
	return slices.ContainsFunc(found.Conditions(), func(legal string) bool { return strings.Contains(message, "legal is "+legal) })
}

func TestEveryKeyTakesRightValuesAndRefusesWrongOnesAsFlagAndInTheFile(t *testing.T) {
	for role, keys := range readCases(t) {
		var names []string
		for _, c := range keys {
			names = append(names, c.Key)
			key, _ := config.FindKey(c.Key)
			ways := func(value any) map[string]outcome {
				path := writeFile(t, fileFor(t, role, c.Key, value))
				return map[string]outcome{
					"flag": program(t, nil, append([]string{string(role)}, flagsFor(c.Key, value)...)...),
					"file": program(t, nil, string(role), "--config", path),
				}
			}
			for _, value := range c.Right {
				for way, o := range ways(value) {
					if o.code != exitFine && !refusedForAnother(c.Key, o.stderr) {
						t.Errorf("%s: %s %s = %v: %s", role, way, c.Key, value, o.stderr)
					}
				}
			}
			for _, value := range c.Wrong {
				for way, o := range ways(value) {
					says := fmt.Sprintf("%q: legal is %s", fmt.Sprint(value), key.Domain)
					if list, isList := value.([]any); isList {
						says = fmt.Sprintf("%q: legal is %s", list[0], key.Domain)
					} else if key.Type == config.Bool && way == "flag" {
						says = "--" + c.Key // the parser's own
					}
					if o.code != exitUsage || !strings.Contains(o.stderr, c.Key+": ") || !strings.Contains(o.stderr, says) {
						t.Errorf("%s: %s %s = %v is not refused with %s: %s", role, way, c.Key, value, says, o.stderr)
					}
				}
			}
		}
		for _, key := range config.Keys(role) {
			if !slices.Contains(names, key.Name) {
				t.Errorf("%s: key %s is not tried", role, key.Name)
			}
		}
	}
}

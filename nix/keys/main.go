// Command keys prints the configuration keys as JSON, from which the NixOS module
// makes its options:
//
//	go run ./nix/keys > nix/modules/keys.json
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"archibald-bridge/bridge/config"
)

// key is one option.
type key struct {
	Name   string   `json:"name"`
	Help   string   `json:"help"`
	Legal  string   `json:"legal"`
	Type   string   `json:"type"`             // integer, boolean, string or strings
	Values []string `json:"values,omitempty"` // of a string that is one of a few
	Least  *int     `json:"least,omitempty"`  // of an integer
	Most   *int     `json:"most,omitempty"`
	OrZero bool     `json:"orZero,omitempty"` // an integer that may also be 0
}

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "keys:", err)
		os.Exit(1)
	}
}

// write prints the keys of each end.
func write(w io.Writer) error {
	var defaults map[string]any // every key is in the example, at its default
	if err := toml.Unmarshal([]byte(config.Example), &defaults); err != nil {
		return err
	}
	all := map[config.End][]key{}
	for _, end := range config.Ends {
		own, _ := defaults[string(end)].(map[string]any)
		for _, k := range config.Keys(end) {
			value, found := own[k.Name]
			if !found {
				value = defaults[k.Name]
			}
			described, err := describe(k, value)
			if err != nil {
				return err
			}
			all[end] = append(all[end], described)
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(all)
}

var (
	oneOf   = regexp.MustCompile(`^(\w+(?:, \w+)*),? or (\w+)( with .*)?$`)
	between = regexp.MustCompile(`^(0, or )?(\d+) to (\d+)`)
)

// describe finds a key's type by its default, and in what is legal the values or
// the range.
func describe(k config.Key, value any) (key, error) {
	d := key{Name: k.Name, Help: k.Help, Legal: k.Legal}
	switch value.(type) {
	case bool:
		d.Type = "boolean"
	case []any:
		d.Type = "strings"
	case int64:
		d.Type = "integer"
		m := between.FindStringSubmatch(k.Legal)
		if m == nil {
			return d, fmt.Errorf("key %s: no range in %q", k.Name, k.Legal)
		}
		least, _ := strconv.Atoi(m[2])
		most, _ := strconv.Atoi(m[3])
		d.Least, d.Most, d.OrZero = &least, &most, m[1] != ""
	case string:
		d.Type = "string"
		if m := oneOf.FindStringSubmatch(k.Legal); m != nil {
			d.Values = append(strings.Split(m[1], ", "), m[2])
			for i, value := range d.Values {
				if value == "empty" {
					d.Values[i] = ""
				}
			}
		}
	default:
		return d, fmt.Errorf("key %s: the example has %v, of no known type", k.Name, value)
	}
	return d, nil
}

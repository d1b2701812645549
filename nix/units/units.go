// Package units knows what the NixOS units of both systems run: units.json, which
// nix/tests/check compares with the evaluated modules. Its test runs the same, as it
// stands, on real servers, so that the modules cannot drift from the program.
package units

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

//go:embed units.json
var file []byte

// Unit is a user unit, without the folders of the store.
type Unit struct {
	Command     string            `json:"command"`     // ExecStart
	Prepare     string            `json:"prepare"`     // ExecStartPre; may be empty
	Environment map[string]string `json:"environment"` // what SuperCollider reads
}

// Machine is the VM or the host.
type Machine struct {
	Address  string          `json:"address"` // on the bridge between both
	Units    map[string]Unit `json:"units"`
	Settings map[string]any  `json:"settings"` // of the bridge's end, as set
}

// Systems are both machines.
type Systems struct {
	VM   Machine `json:"vm"`
	Host Machine `json:"host"`
}

// All are the systems as they are configured without any setting, and with the host's
// packets driving the VM's jackd.
type All struct {
	Default Systems `json:"default"`
	Locked  Systems `json:"locked"`
}

// Read returns the units as they were last evaluated.
func Read() (All, error) {
	var a All
	err := json.Unmarshal(file, &a)
	return a, err
}

// ConfigFile is the configuration file of an end, as the module generates it.
func (m Machine) ConfigFile(end string) ([]byte, error) {
	settings := map[string]any{}
	for key, value := range m.Settings {
		if number, ok := value.(float64); ok { // JSON has no integers, and no key is a fraction
			value = int64(number)
		}
		settings[key] = value
	}
	return toml.Marshal(map[string]any{end: settings})
}

// Arguments splits a unit's command as systemd does where nothing is quoted
// (systemd.service(5), command lines). The names in places are replaced.
func Arguments(command string, places map[string]string) ([]string, error) {
	if strings.ContainsAny(command, `"'\$%`) {
		return nil, fmt.Errorf("command %q: has quotes or specifiers, which this test does not know", command)
	}
	arguments := strings.Fields(command)
	if len(arguments) == 0 {
		return nil, fmt.Errorf("command %q: is empty", command)
	}
	for i, argument := range arguments {
		if place, ok := places[path.Base(argument)]; ok {
			arguments[i] = place
		}
	}
	return arguments, nil
}

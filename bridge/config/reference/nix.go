package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// encode writes JSON with one key a line.
func encode[T any](all map[proto.Role][]T) string {
	var ends []string
	for _, role := range config.Roles {
		var lines []string
		for _, each := range all[role] {
			var line strings.Builder
			encoder := json.NewEncoder(&line)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(each); err != nil {
				panic(err) // maps, lists and texts only
			}
			lines = append(lines, "  "+strings.TrimSpace(line.String()))
		}
		ends = append(ends, fmt.Sprintf(" %q: [\n%s\n ]", role, strings.Join(lines, ",\n")))
	}
	return "{\n" + strings.Join(ends, ",\n") + "\n}\n"
}

// options describes the keys of each end to the NixOS module.
func options() map[proto.Role][]map[string]any {
	all := map[proto.Role][]map[string]any{}
	for _, role := range config.Roles {
		for _, key := range config.Keys(role) {
			option := map[string]any{
				"name": key.Name, "help": key.Help, "legal": key.Legal(), "default": key.DefaultOf(role), "type": key.Type,
			}
			switch key.Type {
			case config.Int:
				option["least"], option["most"], option["orZero"] = key.Least, key.Most, key.Zero
			case config.Choice:
				option["choices"] = key.Choices
			case config.Text, config.List:
				option["pattern"] = key.Pattern
			}
			all[role] = append(all[role], option)
		}
	}
	return all
}

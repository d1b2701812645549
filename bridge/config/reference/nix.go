package main

import (
	"encoding/json"
	"strings"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// encode writes JSON that people can read.
func encode(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // maps, lists and texts only
	}
	return text.String()
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

package main

import (
	"strconv"
	"strings"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// shared says that a key has the same meaning and default at both ends.
func shared(key config.Key) bool { return key.Only == "" && key.HostDefault == "" }

// own are the keys of one end that are not shared.
func own(role proto.Role) []config.Key {
	var keys []config.Key
	for _, key := range config.Keys(role) {
		if !shared(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// literal is a value as TOML writes it.
func literal(key config.Key, value string) string {
	switch key.Type {
	case config.Bool, config.Int:
		return value
	case config.List:
		return "[]"
	}
	return strconv.Quote(value)
}

// wrap breaks a text into lines with a prefix, of at most width characters.
func wrap(text, prefix string, width int) string {
	var lines strings.Builder
	line := prefix
	for word := range strings.FieldsSeq(text) {
		if line != prefix && len(line)+len(word) > width {
			lines.WriteString(strings.TrimRight(line, " ") + "\n")
			line = prefix
		}
		line += word + " "
	}
	return lines.String() + strings.TrimRight(line, " ") + "\n"
}

// paragraph is the sentences without those that are empty.
func paragraph(sentences ...string) string {
	var said []string
	for _, sentence := range sentences {
		if sentence != "" {
			said = append(said, sentence)
		}
	}
	return strings.Join(said, " ")
}

package config

import _ "embed"

//go:generate go run ./reference ../..

// Example is a configuration file with every key, explained, at its default.
//
//go:embed example.toml
var Example string

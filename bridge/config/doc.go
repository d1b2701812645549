// Package config is the configuration of one end of a bridge: its keys, their
// defaults, what is legal, and how a TOML file and command-line flags are laid
// over one another. A key of the file and the flag of the same meaning have the
// same name, because both are read off the same struct.
package config

// Command reference writes what follows from the declarations of the configuration
// keys: an example file, the page docs/configuration.md, the data of the NixOS module's
// options, and legal and illegal values of every key for tests. Its argument is the
// folder of the project:
//
//	go generate ./bridge/config
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: reference FOLDER-OF-THE-PROJECT")
		os.Exit(2)
	}
	for path, text := range files() {
		if err := os.WriteFile(filepath.Join(os.Args[1], path), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "reference:", err)
			os.Exit(1)
		}
	}
}

// files are the texts by their paths inside the project.
func files() map[string]string {
	return map[string]string{
		"bridge/config/example.toml": example(),
		"docs/configuration.md":      page(),
		"nix/modules/keys.json":      encode(options()),
		"nix/tests/cases.json":       encode(cases()),
	}
}

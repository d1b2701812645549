// Command generate writes what follows from the declarations of the counters in
// bridge/stream: the core's fields, their way into Go, the counts of the status with
// their metrics and rows, and the table in the document.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	// go generate runs a command in the folder of the file that asks for it.
	if err := write("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write brings all files below root up to date.
func write(root string) error {
	made, err := files(root)
	if err != nil {
		return err
	}
	for name, text := range made {
		if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files are all files as they should be, by their names below root.
func files(root string) (map[string][]byte, error) {
	document, err := os.ReadFile(filepath.Join(root, documentFile))
	if err != nil {
		return nil, err
	}
	send, receive := declared()
	made := map[string][]byte{
		"bridge/rt/counters_generated.h":         coreFields(send, receive),
		"bridge/rt/counters_generated.go":        coreCopies(send, receive),
		"bridge/status/counts_generated.go":      statusCounts(send, receive),
		"bridge/status/page/counts_generated.js": pageRows(send, receive),
	}
	made[documentFile], err = documented(document, send, receive)
	return made, err
}

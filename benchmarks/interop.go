package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"archibald-bridge/benchmarks/fingerprint"
	"archibald-bridge/testbed/interop"
)

const interopDocument = "docs/interop.md"

// interoperation runs the whole matrix of programs of others and writes its table.
// Each case has the time it needs.
func interoperation(time.Duration) error {
	options, err := newerPipeWire()
	if err != nil {
		return err
	}
	versions, err := interop.Versions(options)
	if err != nil {
		return err
	}
	about := fmt.Sprintf("%s, %s with %d processors: %s.", time.Now().Format("2006-01-02"), fingerprint.Processor(), runtime.NumCPU(), versions)
	cases := interop.Matrix()
	results := make([]interop.Result, len(cases))
	interop.RunAll(options, cases, func(r interop.Result) {
		results[slices.Index(cases, r.Case)] = r
		fmt.Printf("%s: %s %s\n", r.Case, r.Verdict(), r.Fault())
	})
	var rows []string
	err = interop.RunAllEnds(options, interop.AllEnds(), func(e interop.Ends, onHost, inGuest interop.Result) {
		rows = append(rows, interop.EndsRow(e, onHost, inGuest))
		fmt.Printf("%s: %s, %s\n", e, onHost.Verdict(), inGuest.Verdict())
	})
	if err != nil {
		return err
	}
	document, err := os.ReadFile(interopDocument)
	if err != nil {
		return err
	}
	if document, err = interop.Replace(document, about, interop.Table(results)+"\n"+interop.EndsTable(rows)); err != nil {
		return err
	}
	return os.WriteFile(interopDocument, document, 0o644)
}

// newerPipeWire unpacks one, once, where other programs keep what can be fetched again.
func newerPipeWire() (interop.Options, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return interop.Options{}, err
	}
	folder := filepath.Join(cache, "archibald-bridge", "pipewire")
	if out, err := exec.Command("scripts/newer-pipewire.sh", folder).CombinedOutput(); err != nil {
		return interop.Options{}, fmt.Errorf("newer PipeWire: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return interop.Options{NewPipeWire: folder}, nil
}

package main

import (
	"fmt"
	"io"
	"time"

	"archibald-bridge/benchmarks/fingerprint"
)

// machine says where this runs: what is printed after it cannot be better than
// the bare timer.
func machine(w io.Writer) error {
	m, err := fingerprint.Machine()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s, %s", time.Now().Format("2006-01-02 15:04"), fingerprint.Text(m))
	return err
}

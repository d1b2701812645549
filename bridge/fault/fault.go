// Package fault has the errors that decide with which exit code the program ends.
package fault

import (
	"errors"
	"fmt"
)

// ErrNeverReached is returned by an end that was told how long to wait and has in
// that time not reached its audio server or its peer. The program then ends with exit
// code 3.
var ErrNeverReached = errors.New("never reached")

// WrongValue is a wrong value of a key or flag. It prints as one line. The program
// ends with exit code 2.
type WrongValue struct {
	Where string // "--channels", "bridge.toml:3: channels"
	Value string // as the user wrote it
	Legal string // completes "legal is ..."
}

// Error returns the line that the user reads.
func (e *WrongValue) Error() string {
	return fmt.Sprintf("%s: %q: legal is %s", e.Where, e.Value, e.Legal)
}

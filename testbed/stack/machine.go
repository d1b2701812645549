package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// machine is this process's claim to the machine. Sound has a deadline, so a test that judges
// sound has the machine alone. Tests that only wait for what a server says can share it.
// The claim is a lock on a file of this user. It ends with the process.
var machine struct {
	sync.Mutex
	file   *os.File
	stacks int
	alone  bool
}

// lockFile opens one of the files that are locked. turn is held while somebody waits for the machine.
// Otherwise those that share it, one after the other, could keep out forever one that needs
// it alone.
func lockFile(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(os.TempDir(), fmt.Sprintf("archibald-%s-%d.lock", name, os.Getuid())), os.O_CREATE|os.O_RDWR, 0o600)
}

// flock is flock(2), which a signal may interrupt.
func flock(file *os.File, how int) error {
	for {
		if err := syscall.Flock(int(file.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}

// claim waits for the machine. A process that has it shared and wants it alone gives it up
// meanwhile: two of them would wait for each other.
func claim(alone bool) error {
	machine.Lock()
	defer machine.Unlock()
	if alone && os.Getenv("ARCHIBALD_BESIDE") != "" {
		return errors.New("this test runs beside others and wants the machine for itself: take it off asks_beside in scripts/gate.sh")
	}
	if machine.stacks > 0 && (machine.alone || !alone) {
		machine.stacks++
		return nil
	}
	turn, err := lockFile("turn")
	if err != nil {
		return fmt.Errorf("the machine's turn: %w", err)
	}
	defer func() { _ = turn.Close() }() // which unlocks it
	if machine.file == nil {
		if machine.file, err = lockFile("machine"); err != nil {
			return fmt.Errorf("the machine: %w", err)
		}
	}
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	for _, step := range []struct {
		file *os.File
		how  int
	}{{machine.file, syscall.LOCK_UN}, {turn, syscall.LOCK_EX}, {machine.file, how}} {
		if err := flock(step.file, step.how); err != nil {
			return fmt.Errorf("waiting for the machine: %w", err)
		}
	}
	machine.stacks++
	machine.alone = alone
	return nil
}

// sharesMachine says whether others may use the machine, too.
func sharesMachine() bool {
	machine.Lock()
	defer machine.Unlock()
	return machine.stacks > 0 && !machine.alone
}

func disclaim() {
	machine.Lock()
	defer machine.Unlock()
	if machine.stacks--; machine.stacks == 0 {
		_ = machine.file.Close() // which unlocks it
		machine.file = nil
	}
}

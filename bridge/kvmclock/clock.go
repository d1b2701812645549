package kvmclock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// clockName is what KVM's PTP clock calls itself in sysfs.
const clockName = "KVM virtual PTP"

// ErrAbsent says that this machine has no such clock: it is no guest of KVM, or
// its kernel module ptp_kvm is not loaded.
var ErrAbsent = errors.New("no KVM PTP clock (modprobe ptp_kvm)")

// Clock is the host's clock.
type Clock struct {
	file *os.File
	id   int32
}

// Open finds and opens the host's clock. The error is ErrAbsent, or says why the
// device cannot be read.
func Open() (*Clock, error) { return open("/sys/class/ptp", "/dev") }

func open(classFolder, deviceFolder string) (*Clock, error) {
	device, err := find(classFolder)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(deviceFolder, device)
	file, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	c := &Clock{file: file, id: unix.FdToClockID(int(file.Fd()))}
	if _, err := c.NowNs(); err != nil {
		_ = file.Close()
		return nil, err
	}
	return c, nil
}

// find returns the device of the first clock with the right name, "ptp0".
func find(classFolder string) (string, error) {
	names, err := filepath.Glob(filepath.Join(classFolder, "ptp*", "clock_name"))
	if err != nil {
		return "", err
	}
	sort.Strings(names)
	for _, path := range names {
		name, err := os.ReadFile(path)
		if err == nil && strings.TrimSpace(string(name)) == clockName {
			return filepath.Base(filepath.Dir(path)), nil
		}
	}
	return "", ErrAbsent
}

// NowNs is the host's CLOCK_REALTIME, in nanoseconds since 1970.
func (c *Clock) NowNs() (int64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(c.id, &t); err != nil { // a clock of a descriptor: clock_getres(2)
		return 0, fmt.Errorf("%s: clock_gettime: %w", c.file.Name(), err)
	}
	return t.Nano(), nil
}

// Close closes the device.
func (c *Clock) Close() error { return c.file.Close() }

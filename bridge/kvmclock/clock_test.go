package kvmclock

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// machine is a folder with the PTP clocks of a machine, by name of the device.
func machine(t *testing.T, clocks map[string]string) (classFolder string) {
	t.Helper()
	classFolder = t.TempDir()
	for device, name := range clocks {
		if err := os.Mkdir(filepath.Join(classFolder, device), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(classFolder, device, "clock_name"), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return classFolder
}

func TestHostClockIsFoundAmongOthers(t *testing.T) {
	for want, clocks := range map[string]map[string]string{
		"ptp0": {"ptp0": "KVM virtual PTP\n"},
		"ptp2": {"ptp0": "ice-0000:01:00.0-clk\n", "ptp1": "hyperv\n", "ptp2": "KVM virtual PTP\n"},
		"ptp1": {"ptp3": "KVM virtual PTP", "ptp1": "KVM virtual PTP"},
	} {
		if got, err := find(machine(t, clocks)); err != nil || got != want {
			t.Errorf("%v: found %q, %v, want %s", clocks, got, err, want)
		}
	}
}

func TestMachineWithoutTheHostsClock(t *testing.T) {
	for name, folder := range map[string]string{
		"no PTP at all":       filepath.Join(t.TempDir(), "ptp"),
		"no clock":            machine(t, nil),
		"a network card's":    machine(t, map[string]string{"ptp0": "e1000e\n"}),
		"something like it":   machine(t, map[string]string{"ptp0": "KVM virtual PTP 2\n"}),
		"not named as others": machine(t, map[string]string{"rtc0": "KVM virtual PTP\n"}),
	} {
		if got, err := open(folder, t.TempDir()); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestDeviceThatCannotBeOpenedIsNamed(t *testing.T) {
	devices := t.TempDir()
	_, err := open(machine(t, map[string]string{"ptp0": "KVM virtual PTP\n"}), devices)
	if err == nil || errors.Is(err, ErrAbsent) || !strings.Contains(err.Error(), filepath.Join(devices, "ptp0")) {
		t.Errorf("got %v", err)
	}
}

// A descriptor of a file is no clock: the kernel refuses it.
func TestDeviceThatIsNoClockIsRefused(t *testing.T) {
	devices := t.TempDir()
	if err := os.WriteFile(filepath.Join(devices, "ptp0"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := open(machine(t, map[string]string{"ptp0": "KVM virtual PTP\n"}), devices)
	if err == nil || !strings.Contains(err.Error(), "ptp0: clock_gettime") {
		t.Errorf("got %v", err)
	}
}

// This machine's own clock in its place: what is read is nanoseconds since 1970.
func TestTimeIsInNanosecondsSince1970(t *testing.T) {
	const realtime = 0 // CLOCK_REALTIME (clock_gettime(2))
	before := time.Now()
	ns, err := (&Clock{id: realtime}).NowNs()
	if got := time.Unix(0, ns); err != nil || got.Before(before) || got.After(time.Now()) {
		t.Errorf("got %v, %v", got, err)
	}
}

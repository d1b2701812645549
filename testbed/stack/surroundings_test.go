package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPipeWireAllowsSmallQuantumsInAVirtualMachine(t *testing.T) {
	s := newStack(t)
	dir := filepath.Join(s.path("config"), "pipewire", "pipewire.conf.d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	machine := "context.properties = { cpu.vm.name = kvm }\n"
	if err := os.WriteFile(filepath.Join(dir, "00-machine.conf"), []byte(machine), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StartPipeWire(256); err != nil {
		t.Fatal(err)
	}
	settings, err := s.output("pw-metadata", "-n", "settings")
	if err != nil || !strings.Contains(settings, "key:'clock.min-quantum' value:'16'") {
		t.Errorf("%v; settings:\n%s", err, settings)
	}
}

// WirePlumber complains when it looks for cameras and has not the plugin, and
// when it looks for a seat where no logind runs.
func TestWirePlumberLooksForNoDevice(t *testing.T) {
	s := newStack(t)
	_, wireplumber := startHost(t, s)
	log, err := os.ReadFile(wireplumber.Log)
	if err != nil {
		t.Fatal(err)
	}
	for _, device := range []string{"libcamera", "v4l2", "alsa", "bluez", "logind"} {
		if strings.Contains(strings.ToLower(string(log)), device) {
			t.Errorf("%s is looked for:\n%s", device, log)
		}
	}
}

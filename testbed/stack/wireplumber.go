package stack

import (
	"os"
	"path/filepath"
)

// The session manager must take no device: a sound card, a camera or a Bluetooth
// headset belongs to the user's own. It then needs no logind either, without
// which WirePlumber 0.4 does not start.
//
// WirePlumber 0.4 reads the Lua files, 0.5 the other.
var wireplumberConfig = map[string]string{
	"main.lua.d/80-stack.lua": `alsa_monitor.enabled = false
v4l2_monitor.enabled = false
libcamera_monitor.enabled = false
`,
	"bluetooth.lua.d/80-stack.lua": "bluez_monitor.enabled = false\n",
	"wireplumber.conf.d/80-stack.conf": `wireplumber.profiles = {
  main = {
    hardware.audio = disabled
    hardware.bluetooth = disabled
    hardware.video-capture = disabled
  }
}
`,
}

func (s *Stack) writeWirePlumberConfig() error {
	for name, text := range wireplumberConfig {
		path := filepath.Join(s.path("config"), "wireplumber", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

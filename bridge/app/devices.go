package app

import (
	"io"

	"archibald-bridge/bridge/audio/portaudio"
)

// Devices prints the devices of the backend portaudio.
func Devices(w io.Writer) error {
	devices, err := portaudio.Devices()
	if err != nil {
		return err
	}
	return portaudio.WriteDevices(w, devices)
}

// Package host describes the host end. By default it runs with PipeWire, as games and
// speakers do. Its nodes are named after the guest. bridge/app puts it together.
package host

import (
	"archibald-bridge/bridge/app"
	"archibald-bridge/bridge/audio/portaudio"
	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// Role is the host end.
var Role = app.Role{
	Name:   proto.Host,
	Peer:   proto.Guest,
	Source: func(cfg config.Config) bool { return cfg.FromGuest == config.FromGuestSource },
	Hint:   withoutPipeWire(),
}

// withoutPipeWire is what else there is on a host that does not run it.
func withoutPipeWire() string {
	hint := "without PipeWire: host --backend jack, beside a JACK server"
	if portaudio.Built {
		hint += ", or host --backend portaudio, on a device of its own"
	}
	return hint
}

package app

import (
	"fmt"
	"slices"
	"strings"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/audio/pipewire"
	"archibald-bridge/bridge/audio/portaudio"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/stream"
)

// openers open the backends of audio.Backends.
var openers = map[string]audio.Opener{
	audio.PipeWire:  pipewire.Opener,
	audio.Jack:      jack.Opener,
	audio.PortAudio: portaudio.Opener,
}

// open makes the audio server of a backend. The error is for the user: this program was
// built without it.
func open(b audio.Backend, core stream.Callbacks, options audio.Options) (audio.Server, error) {
	server, err := openers[b.Name](core, options)
	if err == nil {
		return server, nil
	}
	others := audio.With(func(audio.Capabilities) bool { return true })
	others = slices.DeleteFunc(others, func(name string) bool { return name == b.Name })
	return nil, &fault.WrongValue{Where: "backend", Value: b.Name, Legal: fmt.Sprintf("%s here: %v", strings.Join(others, " or "), err)}
}

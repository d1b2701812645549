package audio

import (
	"log/slog"

	"archibald-bridge/bridge/stream"
)

// Capabilities are what a backend can do that others cannot. What depends on one
// asks for it here, and never for a backend by its name.
type Capabilities struct {
	// LeastPeriodFrames and MostPeriodFrames bound the period that it can be asked
	// for; both 0: it cannot, the server's period is what it is.
	LeastPeriodFrames, MostPeriodFrames int
	Source                              bool // what plays the peer's sound can be a source to record from
	ChannelMap                          bool // its channels have positions
	Devices                             bool // it plays on devices that are named
	NamedServer                         bool // several of its servers can run, told apart by name
	Patchbay                            bool // it takes a Control, which connects ports
	Follows                             bool // the peer's packets can drive its graph
	Netone                              bool // it does so through the driver netone, which has a UDP port
	ManyEnds                            bool // several ends can be open in one process
}

// ChoosesPeriod says whether it can be asked for a period.
func (c Capabilities) ChoosesPeriod() bool { return c.MostPeriodFrames > 0 }

// Backend is a kind of audio server that the bridge can be a client of.
type Backend struct {
	Name  string // that users give: --backend
	Title string // in words: "PipeWire"
	Capabilities
}

// The names of the backends.
const (
	Jack      = "jack"
	PipeWire  = "pipewire"
	PortAudio = "portaudio"
)

// Backends is every backend there is. bridge/app opens them.
var Backends = []Backend{
	{PipeWire, "PipeWire", Capabilities{LeastPeriodFrames: 16, MostPeriodFrames: 8192, Source: true, ChannelMap: true, Follows: true, ManyEnds: true}},
	{Jack, "JACK server", Capabilities{NamedServer: true, Patchbay: true, Follows: true, Netone: true, ManyEnds: true}},
	// PortAudio's shortest period is 5 ms: 240 frames at 48 kHz.
	{PortAudio, "PortAudio", Capabilities{LeastPeriodFrames: 240, MostPeriodFrames: 8192, Devices: true}},
}

// Named returns the backend of that name; ok is false when there is none.
func Named(name string) (b Backend, ok bool) {
	for _, b := range Backends {
		if b.Name == name {
			return b, true
		}
	}
	return Backend{}, false
}

// With lists the names of the backends that can do something.
func With(can func(Capabilities) bool) []string {
	var names []string
	for _, b := range Backends {
		if can(b.Capabilities) {
			names = append(names, b.Name)
		}
	}
	return names
}

// Options are what an end chooses for the life of a Server. Those that its backend
// has no capability for are not looked at.
type Options struct {
	Log  *slog.Logger // nil: none
	Peer string       // the other end, "host" or "guest", that the nodes are named after

	Server  string  // NamedServer: its name; "": the backend's own choice
	Control Control // Patchbay: opened and closed together with the nodes; nil: none

	NetonePort int // Netone: of the driver's server on this machine, 1 to 65535; 0: its graph has its own clock

	Source    bool     // Source: what plays the peer's sound is one
	Positions []string // ChannelMap: of a node that has as many channels, such as FL; else the usual ones

	// Devices: each by its number, its name or a part of that, "none", or "" for the default.
	OutputDevice, InputDevice string
}

// Opener makes a closed Server. The error says that this program was built without
// the backend.
type Opener func(stream.Callbacks, Options) (Server, error)

// Control is a further client of the audio server in this process, that follows the life of a
// Server: libjack deletes clients that outlive their server when the next
// client is opened, so that closing them later would be a use after free.
// Its methods are called with every signal blocked, which the threads that
// libjack starts inherit, and must not call the Server.
type Control interface {
	// Open is called as the last step of the Server's Open, which fails with it.
	Open() error
	// Close is called as the first step of the Server's Close. The server may
	// be dead by then. It is not called after a failed Open.
	Close()
	// PortAppeared says that a port of that name is new, perhaps in place of
	// one that had the same name. "" stands for any number of ports. It is
	// called from a goroutine of its own, between Open and Close, and must
	// return at once.
	PortAppeared(name string)
}

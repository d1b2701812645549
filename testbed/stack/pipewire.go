package stack

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// NullSink is the node name of the sink that stands for the loudspeakers. Its
// ports are playback_FL and playback_FR, and monitor_FL and monitor_FR give
// what arrived there.
const NullSink = "null-sink"

// PipeWire in a virtual machine otherwise raises the smallest quantum to 1024;
// vm.overrides keeps 0.3 from it, the rule keeps 1.x.
const pipewireConfig = `context.properties = {
  default.clock.rate = %[2]d
  default.clock.allowed-rates = [ %[2]d ]
  default.clock.quantum = %[1]d
  default.clock.min-quantum = 16
  default.clock.max-quantum = 8192
  vm.overrides = { default.clock.min-quantum = 16 }
}
context.properties.rules = [
  { matches = [ { cpu.vm.name = !null } ]
    actions = { update-props = { default.clock.min-quantum = 16 } } }
]
`

// always-process: a null sink nobody plays to would not run the graph, and
// nothing could be recorded from it. linger: it outlives the program that makes
// it.
const nullSinkProperties = `{
  factory.name = support.null-audio-sink
  node.name = ` + NullSink + `
  node.description = ` + NullSink + `
  media.class = Audio/Sink
  audio.position = [ FL FR ]
  node.always-process = true
  node.pause-on-idle = false
  session.suspend-timeout-seconds = 0
  priority.driver = 30000
  priority.session = 2000
  monitor.channel-volumes = true
  object.linger = true
}`

// A bus of its own that starts no services: nothing runs that we did not start.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// StartPipeWire starts a D-Bus session bus, unless it runs, and the PipeWire
// daemon, at 48 kHz with the given quantum, 16 to 8192 frames. It returns when
// the daemon's socket is there; the null sink comes with the session manager
// (StartWirePlumber).
func (s *Stack) StartPipeWire(quantumFrames int) (*Process, error) {
	return s.StartPipeWireAt(quantumFrames, 48000)
}

// StartPipeWireAt is StartPipeWire at another sample rate.
func (s *Stack) StartPipeWireAt(quantumFrames, rateHz int) (*Process, error) {
	if err := s.startBus(); err != nil {
		return nil, err
	}
	dir := filepath.Join(s.path("config"), "pipewire", "pipewire.conf.d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(pipewireConfig, quantumFrames, rateHz)
	if err := os.WriteFile(filepath.Join(dir, "10-stack.conf"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	return s.add(&Process{
		Name: "pipewire",
		ready: func(p *Process) error {
			if err := p.untilSeen("its socket", func() bool {
				_, err := os.Stat(filepath.Join(s.runtimeDir(), "pipewire-0"))
				return err == nil
			}); err != nil {
				return err
			}
			return p.until("an answer on its socket", func() bool {
				_, err := s.output("pw-link", "-o")
				return err == nil
			})
		},
	}, "pipewire")
}

// StartWirePlumber starts the session manager and returns when the null sink
// is the default sink and has ports. Each start, Restart too, has a new null
// sink, as a sound card's node is new whenever its session manager is.
// WirePlumber ends by itself when PipeWire does; it must then be restarted after
// PipeWire, as systemd would do.
func (s *Stack) StartWirePlumber() (*Process, error) {
	if err := s.writeWirePlumberConfig(); err != nil {
		return nil, err
	}
	return s.add(&Process{
		Name:    "wireplumber",
		prepare: func() (func(), error) { return nil, s.renewNullSink() },
		ready: func(p *Process) error {
			return p.until("the null sink as default", s.nullSinkIsDefault)
		},
	}, "wireplumber")
}

func (s *Stack) renewNullSink() error {
	_, _ = s.output("pw-cli", "destroy", NullSink) // there may be none
	_, err := s.output("pw-cli", "create-node", "adapter", nullSinkProperties)
	return err
}

func (s *Stack) nullSinkIsDefault() bool {
	ports, err := s.PipeWirePorts()
	if err != nil || !slices.Contains(ports, NullSink+":playback_FR") {
		return false
	}
	text, err := s.output("pw-metadata", "0", "default.audio.sink")
	return err == nil && strings.Contains(text, NullSink)
}

func (s *Stack) startBus() error {
	s.mu.Lock()
	for _, p := range s.processes {
		if p.Name == "dbus" {
			s.mu.Unlock()
			return nil
		}
	}
	s.mu.Unlock()
	config := s.path("dbus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, s.busAddress()), 0o600); err != nil {
		return err
	}
	_, err := s.add(&Process{
		Name: "dbus",
		ready: func(p *Process) error {
			return p.untilSeen("its socket", func() bool {
				call, err := net.Dial("unix", filepath.Join(s.runtimeDir(), "bus"))
				if err == nil {
					_ = call.Close()
				}
				return err == nil
			})
		},
	}, "dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile")
	return err
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"archibald-bridge/testbed/stack"
)

// The modules of PipeWire 0.3.65: the sink announces its session by SAP, and the
// source plays every session it hears announced. 1 ms is the shortest packet that
// it can be asked for. auto-port-config: without a session manager a stream has no
// ports otherwise.
const rtpModules = `context.modules = [
  { name = libpipewire-module-rtp-sink args = {
    local.ifname = %[1]s source.ip = %[2]s destination.ip = %[3]s destination.port = 4714
    sess.name = rtp sess.min-ptime = 1 sess.max-ptime = 1
    audio.format = S16BE audio.rate = %[6]d audio.channels = 2 audio.position = [ FL FR ]
    stream.props = { adapter.auto-port-config = { mode = dsp } node.name = rtp-tx node.description = rtp-tx node.always-process = true node.latency = %[4]d/%[6]d }
  } }
  { name = libpipewire-module-rtp-source args = {
    local.ifname = %[1]s sess.latency.msec = %[5]s
    stream.props = { adapter.auto-port-config = { mode = dsp } node.name = rtp-rx node.description = rtp-rx node.always-process = true node.latency = %[4]d/%[6]d }
    stream.rules = [ { matches = [ { rtp.session = "~.*" } ] actions = { create-stream = { } } } ]
  } }
]
`

// startRTP starts PipeWire on both machines, with both modules on each. Their
// daemons are the bridge's processes. jack_iodelay and the probes run under
// PipeWire's libjack.
func startRTP(p *pair, setting string) (*bridge, error) {
	_, latencyMs, _ := strings.Cut(setting, " ")
	b := &bridge{
		in:   [2]string{"rtp-tx:input_FL", "rtp-tx:input_FR"},
		out:  [2]string{"rtp-rx:output_FL", "rtp-rx:output_FR"},
		loop: [][2]string{{"rtp-rx:output_FL", "rtp-tx:input_FL"}, {"rtp-rx:output_FR", "rtp-tx:input_FR"}},
	}
	for m, to := range map[machine]string{p.guest: p.host.address, p.host: p.guest.address} {
		daemon, err := p.startPipeWire(m, nil, fmt.Sprintf(rtpModules, stack.Wire, m.address, to, p.periodFrames, latencyMs, p.rateHz))
		if err != nil {
			return nil, err
		}
		b.processes = append(b.processes, daemon)
	}
	return b, nil
}

// PipeWire 0.3's client whose output is linked to its own input hears nothing: this node lies
// between.
const loopNode = `context.objects = [
  { factory = adapter args = {
    factory.name = support.null-audio-sink node.name = loop node.description = loop media.class = Audio/Sink
    audio.position = [ FL FR ] adapter.auto-port-config = { mode = dsp monitor = true }
    node.always-process = true monitor.channel-volumes = false
  } }
]
`

// loopIn and loopOut are its ports, one for each channel.
var loopIn, loopOut = [2]string{"loop:playback_FL", "loop:playback_FR"}, [2]string{"loop:monitor_FL", "loop:monitor_FR"}

// startPipeWireControl has the loop on the guest itself.
func startPipeWireControl(from *unpacked) func(*pair, string) (*bridge, error) {
	return func(p *pair, _ string) (*bridge, error) {
		for _, m := range []machine{p.guest, p.host} {
			if _, err := p.startPipeWire(m, from, loopNode); err != nil {
				return nil, err
			}
		}
		return &bridge{in: loopIn, out: loopOut}, nil
	}
}

// VBAN's modules send to one address and play what comes to one port.
const vbanModules = `context.modules = [
  { name = libpipewire-module-vban-send args = {
    local.ifname = %[1]s source.ip = %[2]s destination.ip = %[3]s destination.port = 6980
    sess.name = vban sess.min-ptime = 1 sess.max-ptime = 1
    audio.format = S16LE audio.rate = %[6]d audio.channels = 2 audio.position = [ FL FR ]
    stream.props = { adapter.auto-port-config = { mode = dsp } node.name = vban-tx node.description = vban-tx node.always-process = true node.latency = %[4]d/%[6]d }
  } }
  { name = libpipewire-module-vban-recv args = {
    local.ifname = %[1]s source.ip = %[2]s source.port = 6980 sess.latency.msec = %[5]s audio.position = [ FL FR ]
    stream.props = { adapter.auto-port-config = { mode = dsp } node.name = vban-rx node.description = vban-rx node.always-process = true node.latency = %[4]d/%[6]d }
  } }
]
`

// startVBAN is startRTP with VBAN, of PipeWire 1.x.
func startVBAN(p *pair, setting string) (*bridge, error) {
	_, latencyMs, _ := strings.Cut(setting, " ")
	b := &bridge{
		in:   [2]string{"vban-tx:send_FL", "vban-tx:send_FR"},
		out:  [2]string{"vban-rx:receive_FL", "vban-rx:receive_FR"},
		loop: [][2]string{{"vban-rx:receive_FL", "vban-tx:send_FL"}, {"vban-rx:receive_FR", "vban-tx:send_FR"}},
	}
	for m, to := range map[machine]string{p.guest: p.host.address, p.host: p.guest.address} {
		daemon, err := p.startPipeWire(m, pipeWireBackports, fmt.Sprintf(vbanModules, stack.Wire, m.address, to, p.periodFrames, latencyMs, p.rateHz))
		if err != nil {
			return nil, err
		}
		b.processes = append(b.processes, daemon)
	}
	return b, nil
}

// startPipeWire starts a machine's PipeWire, the installed one for nil, with an addition to
// its configuration.
func (p *pair) startPipeWire(m machine, from *unpacked, addition string) (*stack.Process, error) {
	config := filepath.Join(m.Dir, "config", "pipewire")
	if err := os.MkdirAll(filepath.Join(config, "pipewire.conf.d"), 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(config, "pipewire.conf.d", "20-peers.conf"), []byte(addition), 0o600); err != nil {
		return nil, err
	}
	if from != nil {
		folder := p.unpacked[from]
		m.Programs = filepath.Join(folder, "bin")
		// Its own, before the installed one's. Clients stay the installed ones.
		text, err := os.ReadFile(filepath.Join(folder, "root", "usr", "share", "pipewire", "pipewire.conf"))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(config, "pipewire.conf"), text, 0o600); err != nil {
			return nil, err
		}
	}
	return m.StartPipeWireAt(p.periodFrames, p.rateHz)
}

// startDesktop starts PipeWire with the installed session manager, as on a desktop: with a
// sink for loudspeakers that it connects streams to, and an addition to its configuration.
func (p *pair) startDesktop(m machine, from *unpacked, addition string) error {
	if _, err := p.startPipeWire(m, from, addition); err != nil {
		return err
	}
	_, err := m.StartWirePlumber()
	return err
}

// giveNodePorts does what a session manager would: a node that waits to be told how its
// ports are to be has none until then.
func (m machine) giveNodePorts(node, direction string) error {
	var err error
	for range 10 {
		var command *exec.Cmd
		if command, err = m.Command("pw-cli", "set-param", node, "PortConfig", fmt.Sprintf("{ direction: %s, mode: dsp }", direction)); err != nil {
			return err
		}
		var out []byte
		if out, err = command.CombinedOutput(); err == nil && !bytes.Contains(out, []byte("Error")) {
			return nil
		}
		err = fmt.Errorf("pw-cli set-param %s PortConfig: %v: %s", node, err, bytes.TrimSpace(out))
		time.Sleep(500 * time.Millisecond)
	}
	return err
}

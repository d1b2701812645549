package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
    audio.format = S16BE audio.rate = 48000 audio.channels = 2 audio.position = [ FL FR ]
    stream.props = { adapter.auto-port-config = { mode = dsp } node.name = rtp-tx node.description = rtp-tx node.always-process = true node.latency = %[4]d/48000 }
  } }
  { name = libpipewire-module-rtp-source args = {
    local.ifname = %[1]s sess.latency.msec = %[5]s
    stream.props = { adapter.auto-port-config = { mode = dsp } node.name = rtp-rx node.description = rtp-rx node.always-process = true node.latency = %[4]d/48000 }
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
		daemon, err := m.startPipeWire(p.periodFrames, fmt.Sprintf(rtpModules, stack.Wire, m.address, to, p.periodFrames, latencyMs))
		if err != nil {
			return nil, err
		}
		b.processes = append(b.processes, daemon)
	}
	return b, nil
}

// A client whose output is linked to its own input hears nothing: this node lies
// between.
const loopNode = `context.objects = [
  { factory = adapter args = {
    factory.name = support.null-audio-sink node.name = loop node.description = loop media.class = Audio/Sink
    audio.position = [ FL FR ] adapter.auto-port-config = { mode = dsp monitor = true }
    node.always-process = true monitor.channel-volumes = false
  } }
]
`

// startPipeWireControl has the loop on the guest itself.
func startPipeWireControl(p *pair, _ string) (*bridge, error) {
	for _, m := range []machine{p.guest, p.host} {
		if _, err := m.startPipeWire(p.periodFrames, loopNode); err != nil {
			return nil, err
		}
	}
	return &bridge{
		in:  [2]string{"loop:playback_FL", "loop:playback_FR"},
		out: [2]string{"loop:monitor_FL", "loop:monitor_FR"},
	}, nil
}

// startPipeWire starts PipeWire with an addition to its configuration.
func (m machine) startPipeWire(periodFrames int, addition string) (*stack.Process, error) {
	dir := filepath.Join(m.Dir, "config", "pipewire", "pipewire.conf.d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "20-peers.conf"), []byte(addition), 0o600); err != nil {
		return nil, err
	}
	return m.StartPipeWire(periodFrames)
}

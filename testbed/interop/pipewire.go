package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"archibald-bridge/testbed/probe"
)

// The modules of PipeWire 0.3.65: the sink announces its session by SAP, and the
// source plays every session of its rule that it hears announced. auto-port-config:
// without a session manager a stream has no ports otherwise.
const (
	oldSource = `  { name = libpipewire-module-rtp-source args = {
    local.ifname = wire sess.latency.msec = 50
    stream.props = { adapter.auto-port-config = { mode = dsp } node.name = rtp-source node.always-process = true node.latency = 256/%[2]d }
    stream.rules = [ { matches = [ { rtp.session = "archibald-%[1]s-guest" } ]
      actions = { create-stream = { node.name = %[1]s } } } ]
  } }
`
	oldSink = `  { name = libpipewire-module-rtp-sink args = {
    local.ifname = wire source.ip = %[1]s destination.ip = %[2]s destination.port = %[3]d
    sess.name = %[4]s %[5]s
    audio.format = %[6]s audio.rate = %[7]d audio.channels = %[8]d audio.position = [ %[9]s ]
    stream.props = { adapter.auto-port-config = { mode = dsp } node.name = %[4]s node.always-process = true node.latency = 256/%[7]d }
  } }
`
)

// positions are PipeWire's names of channels.
func positions(channels int) []string {
	switch channels {
	case 2:
		return []string{"FL", "FR"}
	case 8:
		return []string{"FL", "FR", "FC", "LFE", "RL", "RR", "SL", "SR"}
	}
	all := make([]string, channels)
	for i := range all {
		all[i] = fmt.Sprintf("AUX%d", i)
	}
	return all
}

// startPipeWire starts their PipeWire with a module for each of its cases.
func (r *Rig) startPipeWire(cases []*run) error {
	modules := ""
	for _, c := range cases {
		if c.Direction == Send {
			modules += fmt.Sprintf(oldSource, c.name, r.rateHz)
			continue
		}
		ptime := ""
		if c.Ptime != 0 {
			ms := float64(c.Ptime.Microseconds()) / 1000
			ptime = fmt.Sprintf("sess.min-ptime = %g sess.max-ptime = %g", ms, ms)
		}
		modules += fmt.Sprintf(oldSink, theirAddress, c.destination(), c.port, c.name, ptime,
			fmt.Sprintf("S%dBE", 8*c.Encoding.BytesPerSample()), c.RateHz, c.Channels, strings.Join(positions(c.Channels), " "))
	}
	dir := filepath.Join(r.theirs.Dir, "config", "pipewire", "pipewire.conf.d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	text := "context.modules = [\n" + modules + "]\n"
	if err := os.WriteFile(filepath.Join(dir, "20-interop.conf"), []byte(text), 0o600); err != nil {
		return err
	}
	_, err := r.theirs.StartPipeWireAt(periodFrames, r.rateHz)
	return err
}

// startPipeWireProbe plays into PipeWire's senders and records what its receivers
// play, once their ports are there.
func (r *Rig) startPipeWireProbe(cases []*run, config probe.Config) (*probe.Probe, error) {
	config.Name = "their-probe"
	for _, c := range cases {
		ports, err := r.awaitPorts(c)
		if err != nil {
			return nil, err
		}
		for i, port := range ports {
			if c.Direction == Send {
				config.Inputs++
				c.links = append(c.links, [2]string{port, fmt.Sprintf("their-probe:in_%d", config.Inputs)})
				continue
			}
			config.Outputs = append(config.Outputs, signals(c.Case, c.seed)[i])
			c.links = append(c.links, [2]string{fmt.Sprintf("their-probe:out_%d", len(config.Outputs)), port})
		}
	}
	p, err := probe.Start(r.theirs, config)
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		if err := r.link(c); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// link does what a session manager would.
func (r *Rig) link(c *run) error {
	for _, link := range c.links {
		if err := r.theirs.PipeWireConnect(link[0], link[1]); err != nil {
			return err
		}
	}
	return nil
}

// awaitPorts returns the ports of the case's node in the order of its channels,
// which is that in which PipeWire lists them.
func (r *Rig) awaitPorts(c *run) (ports []string, err error) {
	err = until(fmt.Sprintf("%d ports of PipeWire's node %s", c.Channels, c.name), func() bool {
		all, err := r.theirs.PipeWirePorts()
		if err != nil {
			return false
		}
		ports = slices.DeleteFunc(all, func(port string) bool {
			return !strings.HasPrefix(port, c.name+":") || strings.Contains(port, ":monitor_")
		})
		return len(ports) == c.Channels
	})
	return ports, err
}

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"archibald-bridge/testbed/probe"
)

// The modules of PipeWire 0.3: the sink announces its session by SAP, and the source
// plays every session of its rule that it hears announced. auto-port-config: without
// a session manager a stream has no ports otherwise.
const (
	oldSource = `  { name = libpipewire-module-rtp-source args = {
    local.ifname = wire sess.latency.msec = 50
    stream.props = { %[2]s }
    stream.rules = [ { matches = [ { rtp.session = "archibald-%[1]s-guest" } ]
      actions = { create-stream = { node.name = %[1]s } } } ]
  } }
`
	sink = `  { name = libpipewire-module-rtp-sink args = {
    local.ifname = wire source.ip = %[1]s destination.ip = %[2]s destination.port = %[3]d
    sess.name = %[4]s %[5]s
    audio.format = %[6]s audio.rate = %[7]d audio.channels = %[8]d audio.position = [ %[9]s ]
    stream.props = { node.name = %[4]s sess.sap.announce = true %[10]s }
  } }
`
	streamProperties = `adapter.auto-port-config = { mode = dsp } node.always-process = true node.latency = %d/%d`
)

// From PipeWire 0.3.69 on a module of its own announces and listens.
const (
	sap = `  { name = libpipewire-module-rtp-sap args = { local.ifname = wire stream.rules = [
    { matches = [ { sess.sap.announce = true } ] actions = { announce-stream = { } } }
%s  ] } }
`
	sapRule = `    { matches = [ { rtp.session = "archibald-%[1]s-guest" } ]
      actions = { create-stream = { node.name = %[1]s sess.latency.msec = 50 %[2]s } } }
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
	if cases[0].Peer == PipeWireNew {
		if err := r.useNewPipeWire(); err != nil {
			return err
		}
	}
	version, err := r.pipewireVersion()
	if err != nil {
		return err
	}
	dir := filepath.Join(r.theirs.Dir, "config", "pipewire", "pipewire.conf.d")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	text := pipewireModules(cases, strings.HasPrefix(version, "0.3."))
	if err := os.WriteFile(filepath.Join(dir, "20-interop.conf"), []byte(text), 0o600); err != nil {
		return err
	}
	if r.pipewire != nil {
		return r.pipewire.Restart()
	}
	r.pipewire, err = r.theirs.StartPipeWireAt(periodAt(r.rateHz), r.rateHz)
	return err
}

func pipewireModules(cases []*run, old bool) string {
	modules, rules := "", ""
	for _, c := range cases {
		properties := fmt.Sprintf(streamProperties, periodAt(c.RateHz), c.RateHz)
		switch {
		case c.Direction == Receive:
			modules += fmt.Sprintf(sink, theirAddress, c.destination(), c.port, c.name, pipewirePtime(c.Ptime),
				fmt.Sprintf("S%dBE", 8*c.Encoding.BytesPerSample()), c.RateHz, c.Channels, strings.Join(positions(c.Channels), " "), properties)
		case old:
			modules += fmt.Sprintf(oldSource, c.name, properties)
		default:
			rules += fmt.Sprintf(sapRule, c.name, properties)
		}
	}
	if !old {
		modules += fmt.Sprintf(sap, rules)
	}
	return "context.modules = [\n" + modules + "]\n"
}

func pipewirePtime(ptime time.Duration) string {
	if ptime == 0 {
		return ""
	}
	ms := float64(ptime.Microseconds()) / 1000
	return fmt.Sprintf("sess.min-ptime = %g sess.max-ptime = %g", ms, ms)
}

// useNewPipeWire makes theirs the machine with the newer PipeWire.
func (r *Rig) useNewPipeWire() (err error) {
	r.theirs.Programs = filepath.Join(r.options.NewPipeWire, "usr", "bin")
	if r.theirs.Environment, err = r.options.environment(); err != nil {
		return err
	}
	// Its own configuration, which is found before the installed one's.
	its := os.DirFS(filepath.Join(r.options.NewPipeWire, "usr", "share", "pipewire"))
	return os.CopyFS(filepath.Join(r.theirs.Dir, "config", "pipewire"), its)
}

// environment is what programs of the newer PipeWire need.
func (o Options) environment() ([]string, error) {
	modules, err := filepath.Glob(filepath.Join(o.NewPipeWire, "usr", "lib", "*", "pipewire-0.3"))
	if err != nil || len(modules) != 1 {
		return nil, fmt.Errorf("%s: no PipeWire was unpacked there", o.NewPipeWire)
	}
	lib := filepath.Dir(modules[0])
	return []string{"LD_LIBRARY_PATH=" + lib, "PIPEWIRE_MODULE_DIR=" + modules[0], "SPA_PLUGIN_DIR=" + filepath.Join(lib, "spa-0.2")}, nil
}

var linkedVersion = regexp.MustCompile(`Linked with libpipewire ([0-9.]+)`)

func (r *Rig) pipewireVersion() (string, error) {
	command, err := r.theirs.Command("pipewire", "--version")
	if err != nil {
		return "", err
	}
	text, err := command.Output()
	match := linkedVersion.FindSubmatch(text)
	if err != nil || match == nil {
		return "", fmt.Errorf("pipewire --version: %w: %s", err, text)
	}
	return string(match[1]), nil
}

// startPipeWireProbe plays into PipeWire's senders and records what its receivers
// play, once their ports are there.
func (r *Rig) startPipeWireProbe(cases []*run, config probe.Config) (*probe.Probe, error) {
	config.Name = "their-probe"
	for _, c := range cases {
		ports, err := r.awaitPorts(c.name+":", c.Channels)
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

// awaitPorts returns the ports of one of PipeWire's nodes in the order of its
// channels, which is that in which they are listed.
func (r *Rig) awaitPorts(prefix string, count int) (ports []string, err error) {
	err = until(fmt.Sprintf("%d ports %s... in PipeWire", count, prefix), func() bool {
		all, err := r.theirs.PipeWirePorts()
		if err != nil {
			return false
		}
		ports = slices.DeleteFunc(all, func(port string) bool {
			return !strings.HasPrefix(port, prefix) || strings.Contains(port, ":monitor_")
		})
		return len(ports) == count
	})
	return ports, err
}

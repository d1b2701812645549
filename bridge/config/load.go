package config

import (
	"fmt"
	"net/netip"
	"slices"

	"archibald-bridge/bridge/fault"
	"archibald-bridge/proto"
)

// Source is where a configuration comes from. What is not set in either place
// has its default.
type Source struct {
	File        string             // path of a TOML file; "" for none
	Flags       Config             // wins over the file, in the keys named by Set
	Set         []string           // names of the keys set by flags
	ConnectRule func(string) error // says why a rule of Config.Connect is wrong
}

// Load returns the whole, checked configuration of one end: Config.SendChannels
// and Config.ReceiveChannels are never 0. Every error is one line that names
// the flag, or file, line and key.
func (s Source) Load(role proto.Role) (Config, error) {
	var f file
	if s.File != "" {
		var err error
		if f, err = readFile(s.File); err != nil {
			return Config{}, err
		}
	}
	return s.load(role, f)
}

func (s Source) load(role proto.Role, f file) (Config, error) {
	c := Default(role)
	origins := map[string]string{} // where each key was set
	if err := f.apply(&c, origins); err != nil {
		return Config{}, err
	}
	for _, name := range s.Set {
		key, exists := FindKey(name)
		if !exists {
			return Config{}, fmt.Errorf("no key %q", name)
		}
		key.field(&c).Set(key.field(&s.Flags))
		origins[name] = "--" + name
	}
	wrong := c.finish(origins)
	if wrong == nil {
		wrong = c.wrong(s.ConnectRule)
	}
	if wrong != nil {
		if origin, set := origins[wrong.Where]; set {
			wrong.Where = origin
		}
		return Config{}, wrong
	}
	return c, nil
}

// finish sets what follows from other keys, and reads the files that keys name.
func (c *Config) finish(origins map[string]string) *fault.WrongValue {
	c.complete()
	_, listens := origins["listen"]
	if !listens {
		c.listenWide()
	}
	fileKey := func(name, path string, err error) *fault.WrongValue {
		key, _ := FindKey(name)
		return &fault.WrongValue{Where: name, Value: path, Legal: fmt.Sprintf("%s (%v)", key.Domain, err)}
	}
	if c.SecretFile != "" {
		var err error
		if c.Secret, err = readSecret(c.SecretFile); err != nil {
			return fileKey("secret-file", c.SecretFile, err)
		}
	}
	if c.SDPIn != "" {
		if err := c.readIncoming(listens); err != nil {
			return fileKey("sdp-in", c.SDPIn, err)
		}
	}
	return nil
}

// complete fills in what follows from other keys.
func (c *Config) complete() {
	if c.SendChannels == 0 {
		c.SendChannels = c.Channels
	}
	if c.ReceiveChannels == 0 {
		c.ReceiveChannels = c.Channels
	}
	if c.SAPReceive != "" {
		c.Static = true
	}
	if c.NetonePort == 0 && c.Clock == proto.ClockFollow && c.can().Netone {
		c.NetonePort = netonePort
	}
	if c.Format == proto.Opus && c.Rate == 0 {
		c.Rate = proto.OpusRateHz
	}
}

// listenWide lets an end that was not told where to listen reach a peer that is an IPv6
// address, and take announced streams that go to groups of IPv6.
func (c *Config) listenWide() {
	is6 := func(n netip.Prefix) bool { return n.Addr().Is6() }
	if c.peerAddr().Is6() || c.SAPReceive != "" && slices.ContainsFunc(c.SAPNetworks.Prefixes, is6) {
		c.Listen = Socket{netip.AddrPortFrom(netip.IPv6Unspecified(), c.Listen.Port())}
	}
}

// Check reads a file and returns the first error in it, for the end whose table
// it has, or for both ends.
func Check(path string, connectRule func(string) error) error {
	f, err := readFile(path)
	if err != nil {
		return err
	}
	for _, role := range f.roles() {
		if _, err := (Source{ConnectRule: connectRule}).load(role, f); err != nil {
			return err
		}
	}
	return nil
}

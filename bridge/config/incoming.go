package config

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"archibald-bridge/proto"
)

// readIncoming reads the file of SDPIn. listens says that Listen was set by the user.
func (c *Config) readIncoming(listens bool) error {
	text, err := readStart(c.SDPIn, proto.MaxDescriptionBytes+1)
	if err != nil {
		return errors.Unwrap(err) // the path is named anyway
	}
	d, err := proto.ParseDescription(text)
	if err != nil {
		return err
	}
	if listens && int(c.Listen.Port()) != d.Port {
		return fmt.Errorf("it comes to port %d, listen has %d", d.Port, c.Listen.Port())
	}
	if !listens && d.Address.Is6() {
		c.Listen = Socket{netip.AddrPortFrom(netip.IPv6Unspecified(), c.Listen.Port())}
	}
	*c, err = c.Receiving(d)
	return err
}

// readStart reads at most this number of bytes of a file. The file may be endless.
func readStart(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}

// Receiving is the configuration with an incoming stream, which decides what it
// describes: rate, channels and port of what is received. The error says why it
// cannot.
func (c Config) Receiving(d proto.Description) (Config, error) {
	switch {
	case d.SendChannels == 0:
		return c, errors.New("it describes nothing that is sent")
	case d.SendChannels > proto.MaxChannels:
		return c, fmt.Errorf("it has %d channels: legal are 1 to %d", d.SendChannels, proto.MaxChannels)
	case c.Rate != 0 && c.Rate != d.RateHz:
		return c, fmt.Errorf("it runs at %d Hz, rate asks for %d", d.RateHz, c.Rate)
	case d.Address.IsMulticast() && d.Address.Is4() != c.Listen.Addr().Unmap().Is4() && c.Listen.Addr() != netip.IPv6Unspecified():
		return c, fmt.Errorf("its group %s cannot be received on %s", d.Address, c.Listen.Addr())
	}
	c.Incoming, c.Static = &d, true
	c.Rate, c.ReceiveChannels = d.RateHz, d.SendChannels
	c.Listen = Socket{netip.AddrPortFrom(c.Listen.Addr(), uint16(d.Port))}
	if c.Peer != (Peer{}) && c.Format == "" {
		c.Format = d.Payloads[0].Encoding
	}
	return c, nil
}

// plain says that something is received without a session: a stream that a file
// describes, or one that will be announced.
func (c Config) plain() bool { return c.Incoming != nil || c.SAPReceive != "" }

// Group is the multicast group of the incoming stream and the only machine that is
// heard in it; the zero Addr: none, or any.
func (c Config) Group() (group, source netip.Addr) {
	if c.Incoming == nil || !c.Incoming.Address.IsMulticast() {
		return netip.Addr{}, netip.Addr{}
	}
	return c.Incoming.Address, c.Incoming.Source
}

// MediaListen is where the media socket is bound: at the group that is received, so
// that others can receive other groups at the same port, else where the end listens. An
// IPv6 group of one link cannot be bound to without naming the link.
func (c Config) MediaListen() netip.AddrPort {
	group, _ := c.Group()
	if !group.IsValid() || group.IsLinkLocalMulticast() && group.Is6() || group.IsInterfaceLocalMulticast() {
		return c.Listen.AddrPort
	}
	return netip.AddrPortFrom(group, c.Listen.Port())
}

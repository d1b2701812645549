package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"archibald-bridge/bridge/codec"
	"archibald-bridge/proto"
)

var (
	legalName      = regexp.MustCompile(`^[a-z0-9-]{0,32}$`)
	legalInterface = regexp.MustCompile(`^[^/\s]{0,15}$`) // IFNAMSIZ (netdevice(7))
)

// The shortest and the longest packet time that can be asked for.
const (
	minPtime = 100 * time.Microsecond
	maxPtime = 20 * time.Millisecond
)

// maxGuests is the most guests that one host serves.
const maxGuests = 64

// LegalName says whether a bridge may have that name.
func LegalName(name string) bool { return legalName.MatchString(name) }

// minHostPeriod is the shortest period in frames that an audio server can be asked
// for. PortAudio's is 5 ms, here at 48 kHz.
var minHostPeriod = map[string]int{BackendPipeWire: 16, BackendPortAudio: 240}

const maxHostPeriod = 8192

// Of Opus: the bitrates that it has sound at in each of these packet times (RFC 6716,
// sections 2.1.1 and 2.1.4; below 9,600 bit/s libopus sends none in 2.5 ms), as the
// largest packet bounds it.
const (
	leastBitrate = 16000
	mostBitrate  = 510000
)

var opusPtimes = []time.Duration{2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}

// fault is a key with a value that is not legal.
type fault struct{ key, value, legal string }

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
	if encoding, err := proto.ParseEncoding(string(c.Format)); err == nil {
		c.Format = encoding
	}
	if c.Format == proto.Opus && c.Rate == 0 {
		c.Rate = codec.RateHz
	}
}

// listenWide lets an end that was not told where to listen reach a peer that is an IPv6
// address, and take announced streams that go to groups of IPv6.
func (c *Config) listenWide() {
	is6 := func(n netip.Prefix) bool { return n.Addr().Is6() }
	addr, err := netip.ParseAddr(c.Peer.Host)
	if err == nil && !addr.Unmap().Is4() || c.SAPReceive != "" && slices.ContainsFunc(c.SAPNetworks.Prefixes, is6) {
		c.Listen = Socket{netip.AddrPortFrom(netip.IPv6Unspecified(), c.Listen.Port())}
	}
}

// reachesPeer says whether what is listened on can reach a peer that is an address.
func (c Config) reachesPeer() bool {
	addr, err := netip.ParseAddr(c.Peer.Host)
	listen := c.Listen.Addr()
	return err != nil || addr.Unmap().Is4() && (listen.Unmap().Is4() || listen.IsUnspecified()) || !addr.Unmap().Is4() && !listen.Unmap().Is4()
}

// legalPeer says what is legal where the peer is an address that nothing can be sent to; ""
// where it is not.
func (c Config) legalPeer() string {
	addr, err := netip.ParseAddr(c.Peer.Host)
	addr = addr.Unmap()
	switch {
	case err != nil: // a name
		return ""
	case addr.Is6() && (addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast() && c.MulticastInterface == "") && addr.Zone() == "":
		return fmt.Sprintf("an address that says on which interface it is: %s%%eth0", addr)
	case addr.IsMulticast() && !c.Static:
		return "the address of one machine; a multicast group with --static only"
	}
	return ""
}

// Validate returns the first wrong value as an *Error, or nil. connectRule says
// why a rule of Config.Connect is wrong.
func (c Config) Validate(connectRule func(string) error) error {
	if f := c.fault(connectRule); f != nil {
		return &Error{Where: f.key, Value: f.value, Legal: f.legal}
	}
	return nil
}

func (c Config) fault(connectRule func(string) error) *fault {
	for _, check := range []struct {
		key string
		ok  bool
	}{
		{"listen", c.Listen.IsValid()},
		{"channels", 1 <= c.Channels && c.Channels <= proto.MaxChannels},
		{"send-channels", 0 <= c.SendChannels && c.SendChannels <= proto.MaxChannels},
		{"receive-channels", 0 <= c.ReceiveChannels && c.ReceiveChannels <= proto.MaxChannels},
		{"format", c.Format == "" || c.Format == proto.Opus && c.fitsOpus() || slices.Contains(proto.Encodings, c.Format)},
		{"opus-bitrate", leastBitrate <= c.OpusBitrate && c.OpusBitrate <= mostBitrate},
		{"rate", c.Rate == 0 || 8000 <= c.Rate && c.Rate <= 192000},
		{"latency", c.Latency != Latency{}},
		{"clock", c.Clock == ClockAuto || c.Clock == ClockFree},
		{"redundancy", 0 <= c.Redundancy && c.Redundancy <= proto.MaxRedundancy},
		{"redundancy-distance", 0 <= c.RedundancyDistance && c.RedundancyDistance <= proto.MaxRedundancyDistance},
		{"cpu-sleep", c.CPUSleep == CPUSleepPrevent || c.CPUSleep == CPUSleepAllow},
		{"name", LegalName(c.Name)},
		{"static", !c.Static || c.Peer != Peer{} && c.Format != "" || c.plain() && c.Peer == Peer{}},
		{"sdp-out", c.SDPOut == "" || c.Static && c.Peer != Peer{}},
		{"sap-announce", !c.SAPAnnounce || c.Static && c.Peer != Peer{}},
		{"sap-receive", c.SAPReceive == "" || c.SDPIn == ""},
		{"sap-networks", len(c.SAPNetworks.Prefixes) > 0},
		{"ptime", c.Ptime.Duration == 0 || c.Format == proto.Opus && slices.Contains(opusPtimes, c.Ptime.Duration) ||
			c.Format != proto.Opus && c.Static && minPtime <= c.Ptime.Duration && c.Ptime.Duration <= maxPtime},
		{"multicast-ttl", 1 <= c.MulticastTTL && c.MulticastTTL <= 255},
		{"multicast-interface", legalInterface.MatchString(c.MulticastInterface)},
		{"log-format", c.LogFormat == LogText || c.LogFormat == LogJSON},
		{"jack-server", c.JackServer != ""},
		{"backend", slices.Contains([]string{BackendPipeWire, BackendJack, BackendPortAudio}, c.Backend)},
		{"output-device", c.OutputDevice == "" || c.Backend == BackendPortAudio},
		{"input-device", c.InputDevice == "" || c.Backend == BackendPortAudio},
		{"host-period", c.HostPeriod == 0 || minHostPeriod[c.Backend] > 0 && minHostPeriod[c.Backend] <= c.HostPeriod && c.HostPeriod <= maxHostPeriod},
		{"channel-map", c.ChannelMap.Positions == nil || c.Backend == BackendPipeWire && len(c.ChannelMap.Positions) == c.SendChannels && len(c.ChannelMap.Positions) == c.ReceiveChannels},
		{"from-guest", c.FromGuest == FromGuestStream || c.Backend == BackendPipeWire && c.FromGuest == FromGuestSource},
		{"guests", c.Guests == 1 || 1 < c.Guests && c.Guests <= maxGuests && int(c.Listen.Port())+c.Guests <= 1<<16 &&
			c.Backend == BackendPipeWire && c.Peer == Peer{} && c.Name == "" && !c.Static},
	} {
		if !check.ok {
			key, _ := findKey(check.key)
			return &fault{key.Name, key.Text(c), key.Legal}
		}
	}
	if legal := c.legalPeer(); legal != "" {
		return &fault{"peer", c.Peer.Host, legal}
	}
	if !c.reachesPeer() {
		return &fault{"peer", c.Peer.Host, fmt.Sprintf("an address that %s reaches; listen on [::]:%d for both kinds", c.Listen.Addr(), c.Listen.Port())}
	}
	for _, rule := range c.Connect {
		if err := connectRule(rule); err != nil {
			key, _ := findKey("connect")
			return &fault{key.Name, rule, fmt.Sprintf("%s (%v)", key.Legal, err)}
		}
	}
	return nil
}

// fitsOpus says whether channels and rate are such as Opus has.
func (c Config) fitsOpus() bool {
	return max(c.SendChannels, c.ReceiveChannels) <= codec.MaxChannels && c.Rate == codec.RateHz
}

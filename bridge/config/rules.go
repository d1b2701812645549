package config

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"archibald-bridge/bridge/fault"
	"archibald-bridge/proto"
)

// rule is a condition between keys. Each is broken by the value of one key, which the
// error names.
type rule struct {
	key   string
	legal string // completes "legal is ..."
	holds func(Config) bool
	// hint is what would help here; nil for none.
	hint func(Config) string
}

var rules = []rule{
	{key: "format", legal: fmt.Sprintf("opus only with at most %d channels at %d Hz", proto.OpusChannels, proto.OpusRateHz), holds: Config.fitsOpus},
	{key: "static", legal: "true only with a peer and a format, or with sdp-in or sap-receive", holds: Config.knowsPlainStream},
	{key: "sdp-out", legal: "a file only with static and a peer", holds: func(c Config) bool { return c.SDPOut == "" || c.sendsPlain() }},
	{key: "sap-announce", legal: "true only with static and a peer", holds: func(c Config) bool { return !c.SAPAnnounce || c.sendsPlain() }},
	{key: "sap-receive", legal: "a name only without sdp-in", holds: func(c Config) bool { return c.SAPReceive == "" || c.SDPIn == "" }},
	{key: "ptime", legal: either(opusPtimes) + " with format opus", holds: Config.fitsOpusPackets},
	{key: "ptime", legal: "a time only with static or format opus", holds: func(c Config) bool {
		return c.Ptime.Duration == 0 || c.Format == proto.Opus || c.Static
	}},
	{key: "output-device", legal: "a device only with the backend portaudio", holds: func(c Config) bool {
		return c.OutputDevice == "" || c.Backend == BackendPortAudio
	}},
	{key: "input-device", legal: "a device only with the backend portaudio", holds: func(c Config) bool {
		return c.InputDevice == "" || c.Backend == BackendPortAudio
	}},
	{key: "host-period", legal: "only 0 with the backend jack", holds: func(c Config) bool {
		return c.HostPeriod == 0 || c.Backend != BackendJack
	}},
	{key: "host-period", legal: fmt.Sprintf("0, or at least %d frames with the backend portaudio", minPortAudioPeriod), holds: func(c Config) bool {
		return c.HostPeriod == 0 || c.HostPeriod >= minPortAudioPeriod || c.Backend != BackendPortAudio
	}},
	{key: "channel-map", legal: "positions only with the backend pipewire, one for each channel of both directions", holds: Config.mapsEachChannel},
	{key: "from-guest", legal: "source only with the backend pipewire", holds: func(c Config) bool {
		return c.FromGuest == FromGuestStream || c.Backend == BackendPipeWire
	}},
	{key: "guests", legal: "more than 1 only with the backend pipewire and without peer, name and static", holds: Config.canServeGuests},
	{key: "guests", legal: "no more than there are ports from listen's on", holds: func(c Config) bool {
		return int(c.Listen.Port())+c.Guests <= 1<<16
	}},
	{
		key: "peer", legal: "a link-local IPv6 address only with its interface", holds: Config.namesLink,
		hint: func(c Config) string { return c.peerAddr().String() + "%eth0" },
	},
	{key: "peer", legal: "a multicast group with static only", holds: func(c Config) bool {
		return !c.peerAddr().IsMulticast() || c.Static
	}},
	{
		key: "peer", legal: "an address of the family that listen has", holds: Config.reachesPeer,
		hint: func(c Config) string {
			return fmt.Sprintf("for both families listen on [::]:%d", c.Listen.Port())
		},
	},
}

// The shortest and the longest packet time that can be asked for.
const (
	minPtime = 100 * time.Microsecond
	maxPtime = 20 * time.Millisecond
)

// minPortAudioPeriod is 5 ms at 48 kHz in frames.
const minPortAudioPeriod = 240

// Of Opus: the bitrates that it has sound at in each of these packet times (RFC 6716,
// sections 2.1.1 and 2.1.4; below 9,600 bit/s libopus sends none in 2.5 ms), as the
// largest packet bounds it.
const (
	leastBitrate = 16000
	mostBitrate  = 510000
)

var opusPtimes = []string{"0s", "2.5ms", "5ms", "10ms", "20ms"}

// fitsOpus says whether channels and rate are such as Opus has, if that is the format.
func (c Config) fitsOpus() bool {
	return c.Format != proto.Opus || max(c.SendChannels, c.ReceiveChannels) <= proto.OpusChannels && c.Rate == proto.OpusRateHz
}

// fitsOpusPackets says whether the packet time is one of Opus, if that is the format.
func (c Config) fitsOpusPackets() bool {
	return c.Format != proto.Opus || slices.Contains(opusPtimes, c.Ptime.String())
}

// knowsPlainStream says whether it is known what is sent or received without a session.
func (c Config) knowsPlainStream() bool {
	return !c.Static || c.Peer != Peer{} && c.Format != "" || c.plain() && c.Peer == Peer{}
}

// sendsPlain says that a stream is sent without a session.
func (c Config) sendsPlain() bool { return c.Static && c.Peer != Peer{} }

// mapsEachChannel says whether there is a position for each channel, if there is any.
func (c Config) mapsEachChannel() bool {
	positions := len(c.ChannelMap.Positions)
	return positions == 0 || c.Backend == BackendPipeWire && positions == c.SendChannels && positions == c.ReceiveChannels
}

// canServeGuests says whether several guests can be told apart, if there may be several.
func (c Config) canServeGuests() bool {
	return c.Guests == 1 || c.Backend == BackendPipeWire && c.Peer == Peer{} && c.Name == "" && !c.Static
}

// peerAddr is the peer's address; the zero Addr where it is a name, or none.
func (c Config) peerAddr() netip.Addr {
	addr, _ := netip.ParseAddr(c.Peer.Host)
	return addr.Unmap()
}

// namesLink says whether the peer's address says on which link it is, if it must.
func (c Config) namesLink() bool {
	addr := c.peerAddr()
	onLink := addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast() && c.MulticastInterface == ""
	return !addr.Is6() || !onLink || addr.Zone() != ""
}

// reachesPeer says whether what is listened on can reach a peer that is an address.
func (c Config) reachesPeer() bool {
	peer, listen := c.peerAddr(), c.Listen.Addr()
	switch {
	case peer.Is4():
		return listen.Unmap().Is4() || listen.IsUnspecified()
	case peer.Is6():
		return !listen.Unmap().Is4()
	}
	return true // a name
}

// LegalName says whether a bridge may have that name.
func LegalName(name string) bool {
	key, _ := FindKey("name")
	return key.Has(name)
}

// wrong returns the first wrong value, or nil. Where it stands is the name of its key.
// connectRule says why a rule of Config.Connect is wrong.
func (c Config) wrong(connectRule func(string) error) *fault.WrongValue {
	for _, group := range Groups {
		for _, key := range group.Keys {
			if key.Type != List && key.Read(key.Text(c), key.new()) != nil {
				return &fault.WrongValue{Where: key.Name, Value: key.Text(c), Legal: key.Domain.String()}
			}
		}
	}
	for _, rule := range rules {
		if !rule.holds(c) {
			key, _ := FindKey(rule.key)
			legal := rule.legal
			if rule.hint != nil {
				legal += " (" + rule.hint(c) + ")"
			}
			return &fault.WrongValue{Where: key.Name, Value: key.Text(c), Legal: legal}
		}
	}
	for _, rule := range c.Connect {
		if err := connectRule(rule); err != nil {
			key, _ := FindKey("connect")
			return &fault.WrongValue{Where: key.Name, Value: rule, Legal: fmt.Sprintf("%s (%v)", key.Domain, err)}
		}
	}
	return nil
}

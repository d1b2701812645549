package config

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"archibald-bridge/bridge/audio"
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

var rules = slices.Concat([]rule{
	{key: "format", legal: fmt.Sprintf("opus only with at most %d channels at %d Hz", proto.OpusChannels, proto.OpusRateHz), holds: Config.fitsOpus},
	{key: "static", legal: "true only with a peer and a format, or with sdp-in or sap-receive", holds: Config.knowsPlainStream},
	{key: "sdp-out", legal: "a file only with static and a peer", holds: func(c Config) bool { return c.SDPOut == "" || c.sendsPlain() }},
	{key: "sap-announce", legal: "true only with static and a peer", holds: func(c Config) bool { return !c.SAPAnnounce || c.sendsPlain() }},
	{key: "sap-receive", legal: "a name only without sdp-in", holds: func(c Config) bool { return c.SAPReceive == "" || c.SDPIn == "" }},
	{key: "ptime", legal: either(opusPtimes) + " with format opus", holds: Config.fitsOpusPackets},
	{key: "ptime", legal: "a time only with static or format opus", holds: func(c Config) bool {
		return c.Ptime.Duration == 0 || c.Format == proto.Opus || c.Static
	}},
	{key: "clock", legal: "lead or follow only with a session, without static, sdp-in and sap-receive", holds: func(c Config) bool {
		return !c.locks() || !c.Static && !c.plain()
	}},
	{key: "clock", legal: "lead or follow only with a format other than opus", holds: func(c Config) bool {
		return !c.locks() || c.Format != proto.Opus
	}},
	{key: "clock", legal: "lead or follow only with redundancy-distance 0", holds: func(c Config) bool {
		return !c.locks() || c.RedundancyDistance == 0
	}},
	{key: "clock", legal: "follow only with " + backends(follows), holds: func(c Config) bool {
		return c.Clock != proto.ClockFollow || follows(c.can())
	}},
	{key: "clock", legal: "follow only with guests 1", holds: func(c Config) bool {
		return c.Clock != proto.ClockFollow || c.Guests == 1
	}},
	{key: "netone-port", legal: "a port only with " + backends(hasNetone), holds: func(c Config) bool {
		return c.NetonePort == 0 || hasNetone(c.can())
	}},
	{key: "netone-port", legal: "a port only with guests 1", holds: func(c Config) bool {
		return c.NetonePort == 0 || c.Guests == 1
	}},
	{key: "output-device", legal: "a device only with " + backends(hasDevices), holds: func(c Config) bool {
		return c.OutputDevice == "" || hasDevices(c.can())
	}},
	{key: "input-device", legal: "a device only with " + backends(hasDevices), holds: func(c Config) bool {
		return c.InputDevice == "" || hasDevices(c.can())
	}},
	{key: "channel-map", legal: "positions only with " + backends(hasPositions) + ", one for each channel of both directions", holds: Config.mapsEachChannel},
	{key: "from-guest", legal: "source only with " + backends(hasSource), holds: func(c Config) bool {
		return c.FromGuest == FromGuestStream || hasSource(c.can())
	}},
	{key: "connect", legal: "rules only with " + backends(hasPatchbay), holds: func(c Config) bool {
		return len(c.Connect) == 0 || hasPatchbay(c.can())
	}},
	{key: "guests", legal: "more than 1 only with " + backends(hasManyEnds) + ", and without peer, name and static", holds: Config.canServeGuests},
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
},
	periodRules("host-period", func(c Config) int { return c.HostPeriod }),
	periodRules("guest-period", func(c Config) int { return c.GuestPeriod }),
)

// The shortest and the longest packet time that can be asked for.
const (
	minPtime = 100 * time.Microsecond
	maxPtime = 20 * time.Millisecond
)

// What a backend must be able to do for a key to mean anything.
func hasDevices(can audio.Capabilities) bool   { return can.Devices }
func hasPositions(can audio.Capabilities) bool { return can.ChannelMap }
func hasSource(can audio.Capabilities) bool    { return can.Source }
func hasPatchbay(can audio.Capabilities) bool  { return can.Patchbay }
func follows(can audio.Capabilities) bool      { return can.Follows }
func hasNetone(can audio.Capabilities) bool    { return can.Netone }
func hasManyEnds(can audio.Capabilities) bool  { return can.ManyEnds }

// backends names those that can do something: "the backend pipewire".
func backends(can func(audio.Capabilities) bool) string {
	return "the backend " + either(audio.With(can))
}

// can is what the backend can do.
func (c Config) can() audio.Capabilities {
	backend, _ := audio.Named(c.Backend) // the rules are for legal values
	return backend.Capabilities
}

// periodRules are what the backends say of the period that they are asked for. The key's
// own bounds are the widest of any backend.
func periodRules(key string, period func(Config) int) []rule {
	all := []rule{{
		key: key, legal: "only 0 with " + backends(func(can audio.Capabilities) bool { return !can.ChoosesPeriod() }),
		holds: func(c Config) bool { return period(c) == 0 || c.can().ChoosesPeriod() },
	}}
	for _, b := range audio.Backends {
		if b.LeastPeriodFrames <= minPeriod {
			continue
		}
		all = append(all, rule{
			key: key, legal: fmt.Sprintf("0, or at least %d frames with the backend %s", b.LeastPeriodFrames, b.Name),
			holds: func(c Config) bool { return c.Backend != b.Name || period(c) == 0 || period(c) >= b.LeastPeriodFrames },
		})
	}
	return all
}

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
	return positions == 0 || hasPositions(c.can()) && positions == c.SendChannels && positions == c.ReceiveChannels
}

// canServeGuests says whether several guests can be told apart, if there may be several.
func (c Config) canServeGuests() bool {
	return c.Guests == 1 || hasManyEnds(c.can()) && c.Peer == Peer{} && c.Name == "" && !c.Static
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

package session

import (
	"context"
	"errors"
	"net/netip"

	"archibald-bridge/bridge/signaling"
	"archibald-bridge/proto"
)

// staticSession stands in for a session when the peer is a plain RTP address.
// Nothing was agreed: both directions are as configured, or as the SDP of the
// incoming stream says, and the first source that sends such packets is the peer. Its
// name is looked up at every start, and again while it is not found. A multicast
// group is only sent to; without a peer nothing is sent.
func (e *End) staticSession() {
	var peer netip.AddrPort
	if e.settings.Peer != (Peer{}) {
		var err error
		if peer, err = e.mediaAddr(); err != nil {
			e.session = nil
			e.nextLookupNs = e.clock.monotonicNs() + int64(lookupInterval)
			if err.Error() != e.peerError {
				e.peerError = err.Error()
				e.log.Warn("peer not found, looking again every "+lookupInterval.String(), "peer", e.settings.Peer, "reason", err)
			}
			return
		}
	}
	format := proto.Format{Encoding: e.settings.Format, RateHz: e.graph.RateHz}
	a := proto.Agreement{
		Send: format, Receive: format, LocalSSRC: e.ssrc(),
		Terms: proto.Terms{Redundancy: e.settings.Redundancy},
	}
	a.Send.Channels, a.Receive.Channels = e.settings.SendChannels, e.settings.ReceiveChannels
	if !peer.IsValid() {
		a.Send.Channels = 0
	}
	if in := e.settings.Incoming; in != nil {
		a.Receive.Encoding, a.PeerPacketFrames, a.PeerName = in.Payloads[0].Encoding, in.PacketFrames, in.Name
	} else if peer.Addr().IsMulticast() {
		a.Receive.Channels = 0
	}
	if e.session == nil {
		e.begin()
	}
	e.session = &signaling.Session{ID: "static", Agreement: a, PeerAddr: peer}
	e.peerError = ""
	e.startStreams()
}

// incomingType is the payload type of the stream received.
func (e *End) incomingType() uint8 {
	if e.settings.Incoming == nil {
		return e.session.Agreement.Receive.Encoding.PayloadType()
	}
	return e.settings.Incoming.Payloads[0].Type
}

// lookupFunc finds the addresses of a host name, as net.Resolver.LookupNetIP.
type lookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// mediaAddr is the address of the static peer; IPv4 where there is a choice,
// since that is what virtual machines' networks are made of.
func (e *End) mediaAddr() (netip.AddrPort, error) {
	host, port := e.settings.Peer.Host, uint16(e.settings.Peer.Port)
	if addr, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(addr, port), nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	found, err := e.lookup(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for _, addr := range found {
		if v4 := addr.Unmap(); v4.Is4() {
			return netip.AddrPortFrom(v4, port), nil
		}
	}
	if len(found) == 0 {
		return netip.AddrPort{}, errors.New("no address")
	}
	return netip.AddrPortFrom(found[0], port), nil
}

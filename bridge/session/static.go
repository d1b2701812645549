package session

import (
	"context"
	"errors"
	"net/netip"

	"archibald-bridge/bridge/signaling"
	"archibald-bridge/proto"
)

// staticSession stands in for a session when the peer is a plain RTP address.
// Nothing was agreed: both directions are as configured, and the first source
// that sends such packets is the peer. Its name is looked up at every start, and
// again while it is not found.
func (e *End) staticSession() {
	peer, err := e.mediaAddr()
	if err != nil {
		e.session = nil
		e.nextLookupNs = e.clock.monotonicNs() + int64(lookupInterval)
		if err.Error() != e.peerError {
			e.peerError = err.Error()
			e.log.Warn("peer not found, looking again every "+lookupInterval.String(), "peer", e.cfg.Peer, "reason", err)
		}
		return
	}
	format := proto.Format{Encoding: e.cfg.Format, RateHz: e.graph.RateHz}
	a := proto.Agreement{
		Send: format, Receive: format, LocalSSRC: e.ssrc(),
		Redundancy: e.cfg.Redundancy, RedundancyDistance: e.cfg.RedundancyDistance,
	}
	a.Send.Channels, a.Receive.Channels = e.cfg.SendChannels, e.cfg.ReceiveChannels
	e.session = &signaling.Session{ID: "static", Agreement: a, PeerAddr: peer, Latch: true}
	e.everPeer, e.peerError = true, ""
	e.streams.start()
}

// lookupFunc finds the addresses of a host name, as net.Resolver.LookupNetIP.
type lookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// mediaAddr is the address of the static peer; IPv4 where there is a choice,
// since that is what virtual machines' networks are made of.
func (e *End) mediaAddr() (netip.AddrPort, error) {
	host, port := e.cfg.Peer.Host, uint16(e.cfg.Peer.Port)
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

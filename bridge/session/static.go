package session

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"archibald-bridge/bridge/signaling"
	"archibald-bridge/bridge/stream"
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
		Redundancy: e.settings.Redundancy,
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
	e.streams.start()
}

// incomingType is the payload type of the stream received.
func (e *End) incomingType() uint8 {
	if e.settings.Incoming == nil {
		return e.streams.receive.Encoding.PayloadType()
	}
	return e.settings.Incoming.Payloads[0].Type
}

// coreFormat is a format as the core knows it: what a codec makes is Coded.
func coreFormat(f proto.Format) stream.Format {
	encoding := stream.Encoding(f.Encoding)
	if f.Encoding == proto.Opus {
		encoding = stream.Coded
	}
	return stream.Format{Encoding: encoding, RateHz: f.RateHz, Channels: f.Channels}
}

func (e *End) packetFrames(format proto.Format) int { return packetFrames(e.settings, e.graph, format) }

func (e *End) ptimeFrames(rateHz int) int { return ptimeFrames(e.settings, rateHz) }

// packetFrames is how many frames each packet sent holds: those of the packet time
// asked for, as many as fit, or a period.
func packetFrames(settings Settings, graph Graph, format proto.Format) int {
	wanted := ptimeFrames(settings, format.RateHz)
	if format.Encoding == proto.Opus && wanted == 0 {
		return opusFrames
	}
	if wanted == 0 {
		return proto.PacketFrames(format, graph.PeriodFrames)
	}
	return min(wanted, proto.MaxPacketFrames(format))
}

// ptimeFrames is the packet time asked for; 0: none.
func ptimeFrames(settings Settings, rateHz int) int {
	if settings.Ptime == 0 {
		return 0
	}
	return max(1, int((settings.Ptime*time.Duration(rateHz)+time.Second/2)/time.Second))
}

// Publisher tells others of the stream that is sent without a session.
type Publisher interface {
	Publish(proto.Description)
}

// publishStream says what is sent, and where, once that is known.
func (e *End) publishStream(plan stream.SendPlan, encoding proto.Encoding) {
	if e.publisher == nil || !e.settings.Static {
		return
	}
	d := proto.Description{
		Name: e.cname(), Address: plan.To.Addr(), Port: int(plan.To.Port()),
		Payloads: proto.Payloads(encoding), RateHz: plan.Format.RateHz, SendChannels: plan.Format.Channels,
		OwnOrder: e.settings.OwnOrder, PacketFrames: plan.PacketFrames, MaxBitrate: e.settings.Bitrate, SSRC: plan.SSRC, CNAME: e.cname(),
	}
	if d.Address.IsMulticast() {
		d.TTL = e.settings.MulticastTTL
	}
	e.publisher.Publish(d)
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

package session

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"archibald-bridge/bridge/signaling"
	"archibald-bridge/proto"
)

// peerEvent is what signaling found out, on its way to the end's goroutine.
type peerEvent struct {
	session *signaling.Session // nil: the session id is over
	id      string
	reason  string
}

// peerHandler turns signaling's calls into events.
type peerHandler struct{ events chan<- peerEvent }

func (h peerHandler) Up(s signaling.Session) { h.events <- peerEvent{session: &s} }

func (h peerHandler) Down(id, reason string) { h.events <- peerEvent{id: id, reason: reason} }

func (e *End) newEndpoint() (*signaling.Endpoint, error) {
	return signaling.Listen(signaling.Config{
		Listen:  e.cfg.Listen.AddrPort,
		Peer:    e.cfg.Peer.String(),
		Local:   e.describeItself,
		Handler: peerHandler{e.peerEvent},
		Log:     e.log,
	})
}

// describeItself is this end's description for signaling, from any goroutine.
func (e *End) describeItself() (proto.Description, error) {
	d := e.local.Load()
	if d == nil {
		return proto.Description{}, fmt.Errorf("%s is not running on the %s", e.server, e.role)
	}
	return *d, nil
}

func (e *End) peerChanged(event peerEvent) {
	if event.session == nil {
		if e.session == nil || e.session.ID != event.id {
			return
		}
		e.log.Info("session over", "peer", e.session.PeerAddr, "reason", event.reason)
		e.streams.stop()
		e.session = nil
		return
	}
	e.session = event.session
	e.sessions++
	e.everPeer = true
	a := e.session.Agreement
	e.log.Info("session up", "peer", e.session.PeerAddr, "send", a.Send, "receive", a.Receive)
	e.streams.start()
}

// staticSession stands in for a session when the peer is a plain RTP address.
// Nothing was agreed: both directions are as configured, and the first source
// that sends such packets is the peer.
func (e *End) staticSession() {
	peer, err := e.mediaAddr()
	if err != nil {
		e.log.Warn("peer not found, tried again when the audio server reopens", "peer", e.cfg.Peer, "reason", err)
		return
	}
	format := proto.Format{Encoding: e.cfg.Format, RateHz: e.graph.RateHz}
	a := proto.Agreement{Send: format, Receive: format, LocalSSRC: e.ssrc()}
	a.Send.Channels, a.Receive.Channels = e.cfg.SendChannels, e.cfg.ReceiveChannels
	e.session = &signaling.Session{ID: "static", Agreement: a, PeerAddr: peer, Latch: true}
	e.everPeer = true
	e.streams.start()
}

// resolve finds the address of a host name or IP address; IPv4 where there is a
// choice, since that is what virtual machines' networks are made of.
func resolve(host string, port int) (netip.AddrPort, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(addr, uint16(port)), nil
	}
	ips, err := net.LookupIP(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for _, ip := range ips {
		if v4 := ip.To4(); v4 != nil {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(v4)), uint16(port)), nil
		}
	}
	if len(ips) == 0 {
		return netip.AddrPort{}, errors.New("no address")
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(ips[0].To16())), uint16(port)), nil
}

// Package announce tells other programs of the stream that an end sends without a
// session, by an SDP file and by the Session Announcement Protocol (RFC 2974), and
// hears from that protocol of the streams of others.
//
// Nothing in an announcement is proven: whoever reaches the network can say anything.
// What is taken from one is therefore only where to listen, and only within the
// networks that the configuration names. It never leads to anything being sent.
package announce

import (
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// Publisher says what is sent. It implements session.Publisher.
type Publisher struct {
	path    string   // of the SDP file; "": none
	speaker *speaker // nil: nothing is announced
	log     *slog.Logger
	now     func() time.Time

	listen netip.Addr // that the stream is sent from; unspecified: as the routes say
	device string     // of multicast; "": as the routes say
}

// NewPublisher does what the configuration says of SDP file and announcements, once
// there is something to say.
func NewPublisher(cfg config.Config, log *slog.Logger) (*Publisher, error) {
	p := &Publisher{path: cfg.SDPOut, log: log, now: time.Now, listen: cfg.Listen.Addr().Unmap(), device: cfg.MulticastInterface}
	if cfg.SAPAnnounce {
		var err error
		if p.speaker, err = newSpeaker(cfg.MulticastInterface, cfg.MulticastTTL, log); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Publish tells of the stream, with the address that this machine has towards the
// receiver. It may be called again when the stream has changed.
func (p *Publisher) Publish(d proto.Description) {
	to := netip.AddrPortFrom(d.Address, uint16(d.Port))
	d.Origin = p.addressTowards(to)
	d.Revision = uint64(p.now().Unix())
	if d.Address.IsMulticast() {
		d.Source = d.Origin
	}
	text := d.Marshal()
	if p.speaker != nil {
		p.speaker.say(proto.NewAnnouncement(d.Origin, text))
	}
	if p.path == "" {
		return
	}
	// Whoever opens the file sees the old or the new text, and nothing between.
	if err := replace(p.path, text); err != nil {
		p.log.Error("cannot write the SDP file", "reason", err)
		return
	}
	p.log.Info("SDP file written", "file", p.path, "to", to)
}

// Close takes the announcement back. The file stays.
func (p *Publisher) Close() {
	if p.speaker != nil {
		p.speaker.close()
	}
}

// replace writes a file beside path and renames it.
func replace(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // after the rename there is none
	_, err = file.Write(text)
	if err == nil {
		err = file.Chmod(0o644) // it is for other programs, and other users
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// addressTowards is the address that the stream comes from: the one that this end
// listens on, or what the routes and the interface of multicast give; the zero Addr
// when there is none. Nothing is sent.
func (p *Publisher) addressTowards(to netip.AddrPort) netip.Addr {
	if !p.listen.IsUnspecified() {
		return p.listen
	}
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		if !to.Addr().Is4() {
			return nil
		}
		return prepare(raw, p.device, 1)
	}}
	probe, err := dialer.Dial("udp", to.String())
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = probe.Close() }()
	local, _ := probe.LocalAddr().(*net.UDPAddr)
	return local.AddrPort().Addr().Unmap()
}

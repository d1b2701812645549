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
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/network"
	"archibald-bridge/proto"
)

// Publisher says what is sent, and from where: again when this machine has another
// address, and not before it has one. It implements send.Publisher.
type Publisher struct {
	path    string   // of the SDP file; "": none
	speaker *speaker // nil: nothing is announced
	log     *slog.Logger
	net     *network.Keeper
	now     func() time.Time
	source  func(to netip.Addr) (network.Way, error)

	drop func() // from net

	mu        sync.Mutex // guards what follows
	stream    *proto.Description
	news      bool       // the stream is another than was published
	origin    netip.Addr // that was published
	published said
}

// NewPublisher does what the configuration says of SDP file and announcements, once
// there is something to say.
func NewPublisher(cfg config.Config, log *slog.Logger, net *network.Keeper) *Publisher {
	listen, device := cfg.MediaListen().Addr().Unmap(), cfg.MulticastInterface
	p := &Publisher{path: cfg.SDPOut, log: log, net: net, now: time.Now, drop: func() {}}
	p.source = func(to netip.Addr) (network.Way, error) {
		if !listen.IsUnspecified() && !listen.IsMulticast() {
			return network.Way{Source: listen}, network.HasAddress(listen)
		}
		if !to.IsMulticast() {
			return network.SourceTowards(to, "")
		}
		return network.SourceTowards(to, device)
	}
	if cfg.SAPAnnounce {
		p.speaker = newSpeaker(cfg.MulticastInterface, cfg.MulticastTTL, log)
	}
	return p
}

// Publish tells of the stream. It may be called again when the stream has changed.
func (p *Publisher) Publish(d proto.Description) {
	if p.path == "" && p.speaker == nil {
		return
	}
	p.mu.Lock()
	first := p.stream == nil
	p.stream, p.news = &d, true
	p.mu.Unlock()
	if first {
		p.drop = p.net.Follow(network.Need{Name: "address towards " + d.Address.String(), Take: p.take})
	} else {
		p.net.Look()
	}
}

// take publishes the stream if it, or the address that it comes from, is another.
func (p *Publisher) take() (by string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	way, err := p.source(p.stream.Address)
	if err != nil {
		if p.speaker != nil {
			p.speaker.hush()
		}
		return way.By(), err
	}
	if p.news || way.Source != p.origin {
		p.origin, p.news = way.Source, false
		p.publish()
	}
	if p.speaker != nil {
		p.speaker.say(p.published)
	}
	return way.By(), nil
}

// publish writes the new text. Needs p.mu.
func (p *Publisher) publish() {
	d := *p.stream
	d.Origin = p.origin
	d.Revision = uint64(p.now().Unix())
	if d.Address.IsMulticast() {
		d.Source = p.origin
	}
	text := d.Marshal()
	p.published = said{proto.NewAnnouncement(p.origin, text), proto.SAPGroupsOf(d.Address)}
	if p.path == "" {
		return
	}
	// Whoever opens the file sees the old or the new text, and nothing between.
	if err := replace(p.path, text); err != nil {
		p.log.Error("cannot write the SDP file", "reason", err)
		return
	}
	p.log.Info("SDP file written", "file", p.path, "from", p.origin, "to", netip.AddrPortFrom(d.Address, uint16(d.Port)))
}

// Close takes the announcement back. The file stays.
func (p *Publisher) Close() {
	p.drop()
	if p.speaker != nil {
		p.speaker.close()
	}
}

// replace writes a file in the folder of path and renames it.
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

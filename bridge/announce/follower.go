package announce

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"archibald-bridge/proto"
)

// leastPort keeps announcements from making us listen where system services do.
const leastPort = 1024

// Wanted is which announced stream is to be received.
type Wanted struct {
	Name     string         // of the session
	Networks []netip.Prefix // that its group may be in
}

// choose reads what is announced. ok is false for other sessions; an error says why the
// wanted one cannot be taken.
func (w Wanted) choose(sdp []byte) (d proto.Description, ok bool, err error) {
	if name, _ := proto.SessionIdentity(sdp); name != w.Name {
		return d, false, nil
	}
	if d, err = proto.ParseDescription(sdp); err != nil {
		return d, false, err
	}
	switch {
	case d.Version != 0:
		err = errors.New("it is no plain stream")
	case !slices.ContainsFunc(w.Networks, func(n netip.Prefix) bool { return n.Contains(d.Address) }) || !d.Address.IsMulticast():
		err = fmt.Errorf("its address %s is in none of the networks of sap-networks", d.Address)
	case d.Port < leastPort:
		err = fmt.Errorf("its port %d is below %d", d.Port, leastPort)
	}
	return d, err == nil, err
}

// identity is what tells a stream from others: the machine that announces it, who made
// the session there (origin), and where it goes.
type identity struct {
	from   netip.Addr
	origin string
	to     netip.AddrPort
}

// stream is one that is announced under the wanted name.
type stream struct {
	proto.Description
	id    identity
	hash  uint16 // of its last announcement
	heard time.Time
	every time.Duration // the longest time between two announcements
}

// String tells it from others.
func (s *stream) String() string { return fmt.Sprintf("%s by %s", s.id.to, s.id.from) }

// patience is how long after its last announcement a stream counts as announced: one
// may be lost, or late.
func (s *stream) patience() time.Duration { return max(interval, s.every) * 3 / 2 }

func (s *stream) announced(now time.Time) bool { return now.Sub(s.heard) < s.patience() }

// is says whether an announcement is of this stream. A machine sends one stream to a
// group and port, whoever makes the session: it was started again.
func (s *stream) is(id identity) bool { return s.id.from == id.from && s.id.to == id.to }

// note takes another announcement of it.
func (s *stream) note(other *stream) {
	const longest = 5 * time.Minute // RFC 2974, section 3.1
	other.every = min(longest, max(s.every, other.heard.Sub(s.heard)))
	*s = *other
}

// mostOthers bounds what strangers can make us remember.
const mostOthers = 8

// follower decides which stream is received. The one that is stays so while it sounds or
// is announced, and until the machine that announces it takes it back.
type follower struct {
	wanted   Wanted
	twins    func(received, other *stream) // told once for a stream received
	current  *stream                       // nil: none yet, or it was taken back
	others   []*stream
	received *proto.Description // that was last asked for; nil: none yet
	told     bool
}

// hear takes a packet that came from a machine and says whether there is a stream to
// receive that there was not before: the first one, or another.
func (f *follower) hear(packet []byte, from netip.Addr, now time.Time) (changed bool, err error) {
	a, err := proto.ParseAnnouncement(packet)
	if err != nil {
		return false, nil // nobody knows whether it was the wanted one
	}
	if a.Delete {
		return f.forget(a, from, now), nil
	}
	d, ok, err := f.wanted.choose(a.SDP)
	if !ok {
		return false, err
	}
	_, origin := proto.SessionIdentity(a.SDP)
	s := &stream{Description: d, hash: a.Hash, heard: now, id: identity{from, origin, netip.AddrPortFrom(d.Address, uint16(d.Port))}}
	if f.current != nil && f.current.is(s.id) {
		f.current.note(s)
		f.tellTwins(now)
		return f.receive(), nil
	}
	f.remember(s)
	if f.current != nil {
		return false, nil
	}
	return f.choose(now), nil
}

// look says whether there is another stream to receive now that time has passed; sounds:
// what is received does.
func (f *follower) look(now time.Time, sounds bool) (changed bool) {
	if f.current == nil || sounds || f.current.announced(now) {
		return false
	}
	return f.choose(now)
}

// remember notes a stream that is not received.
func (f *follower) remember(s *stream) {
	for i, other := range f.others {
		if other.is(s.id) {
			other.note(s)
			f.others = append(slices.Delete(f.others, i, i+1), other)
			return
		}
	}
	if len(f.others) == mostOthers {
		f.others = slices.Delete(f.others, 0, 1)
	}
	f.others = append(f.others, s)
}

// choose takes the stream that was announced last, unless none is.
func (f *follower) choose(now time.Time) (changed bool) {
	var best *stream
	for _, s := range f.others {
		if s.announced(now) && (best == nil || s.heard.After(best.heard)) {
			best = s
		}
	}
	if best == nil {
		return false
	}
	f.others = slices.DeleteFunc(f.others, func(s *stream) bool { return s == best })
	if f.current != nil {
		f.remember(f.current)
	}
	f.current, f.told = best, false
	return f.receive()
}

// receive says whether what is to be received is another now.
func (f *follower) receive() (changed bool) {
	d := f.current.Description
	changed = f.received == nil || !same(*f.received, d)
	f.received = &d
	return changed
}

// forget takes a deletion, which only the machine that announced a stream can make.
func (f *follower) forget(a proto.Announcement, from netip.Addr, now time.Time) (changed bool) {
	_, origin := proto.SessionIdentity(a.SDP)
	var to netip.AddrPort // not said when there is the origin only
	if d, err := proto.ParseDescription(a.SDP); err == nil {
		to = netip.AddrPortFrom(d.Address, uint16(d.Port))
	}
	deleted := func(s *stream) bool {
		if s.id.from != from || to.IsValid() && s.id.to != to {
			return false
		}
		return origin == s.id.origin && origin != "" || origin == "" && a.Hash == s.hash && a.Hash != 0
	}
	f.others = slices.DeleteFunc(f.others, deleted)
	if f.current == nil || !deleted(f.current) {
		return false
	}
	f.current = nil
	return f.choose(now)
}

// tellTwins warns when another stream with the same name is announced at the same time.
func (f *follower) tellTwins(now time.Time) {
	for _, other := range f.others {
		twin := other.id.origin != f.current.id.origin || other.id.to != f.current.id.to
		if twin && !f.told && other.announced(now) {
			f.told = true
			f.twins(f.current, other)
		}
	}
}

// same says whether two descriptions are received alike.
func same(a, b proto.Description) bool {
	return a.Address == b.Address && a.Port == b.Port && a.Source == b.Source && a.RateHz == b.RateHz &&
		a.SendChannels == b.SendChannels && a.PacketFrames == b.PacketFrames && slices.Equal(a.Payloads, b.Payloads)
}

package announce

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"archibald-bridge/proto"
)

// loyalty is how long the machine that announced the stream first is the only one
// that is believed after its last announcement.
const loyalty = 90 * time.Second

// leastPort keeps announcements from making us listen where system services do.
const leastPort = 1024

// Wanted is which announced stream is to be received.
type Wanted struct {
	Name     string         // of the session
	Networks []netip.Prefix // that its group may be in
}

// choose reads an announcement. ok is false for those of other sessions and for
// deletions; an error says why the wanted one cannot be taken.
func (w Wanted) choose(packet []byte) (d proto.Description, ok bool, err error) {
	a, err := proto.ParseAnnouncement(packet)
	if err != nil || a.Delete {
		return d, false, nil // nobody knows whether it was the wanted one
	}
	d, err = proto.ParseDescription(a.SDP)
	if err != nil && w.named(a.SDP) {
		return d, false, err
	}
	if err != nil || d.Name != w.Name {
		return d, false, nil
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

// named says whether SDP that cannot be used is of the wanted session, whose user then
// learns why.
func (w Wanted) named(sdp []byte) bool {
	for line := range bytes.Lines(sdp) {
		if string(bytes.TrimRight(line, "\r\n")) == "s="+w.Name {
			return true
		}
	}
	return false
}

// follower decides which announcements count.
type follower struct {
	wanted  Wanted
	current proto.Description
	from    netip.Addr // the announcing machine; the zero Addr: none yet
	heard   time.Time  // its last announcement
}

// hear takes a packet that came from a machine and says whether there is a stream to
// receive that there was not before: the first one, or another.
func (f *follower) hear(packet []byte, from netip.Addr, now time.Time) (changed bool, err error) {
	d, ok, err := f.wanted.choose(packet)
	if !ok {
		return false, err
	}
	if f.from.IsValid() && f.from != from && now.Sub(f.heard) < loyalty {
		return false, nil
	}
	changed = !f.from.IsValid() || !same(f.current, d)
	f.current, f.from, f.heard = d, from, now
	return changed, nil
}

// same says whether two descriptions are received alike.
func same(a, b proto.Description) bool {
	return a.Address == b.Address && a.Port == b.Port && a.Source == b.Source && a.RateHz == b.RateHz &&
		a.SendChannels == b.SendChannels && a.PacketFrames == b.PacketFrames && slices.Equal(a.Payloads, b.Payloads)
}

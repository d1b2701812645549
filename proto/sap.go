package proto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strings"
)

// SAPPort is where announcements go (RFC 2974, section 3).
const SAPPort = 9875

// SAPGroups are the multicast groups of announcements of IPv4: the one that PipeWire
// uses by default, that of AES67 devices, which is the one of the smallest
// administrative scope, that of the global scope, which ffmpeg and VLC use by default,
// and that of an organization's scope (RFC 2365, section 6).
var SAPGroups = []netip.Addr{
	netip.AddrFrom4([4]byte{224, 0, 0, 56}),
	netip.AddrFrom4([4]byte{239, 255, 255, 255}),
	netip.AddrFrom4([4]byte{224, 2, 127, 254}),
	netip.AddrFrom4([4]byte{239, 195, 255, 255}),
}

// SAPGroups6 are those of IPv6, FF0X::2:7FFE, of every scope X that reaches further than
// this machine (RFC 7346, section 2).
var SAPGroups6 = func() (all []netip.Addr) {
	for _, scope := range []byte{0x2, 0x3, 0x4, 0x5, 0x8, 0xe} {
		all = append(all, sapGroup6(scope))
	}
	return all
}()

func sapGroup6(scope byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xff, 1: scope, 13: 2, 14: 0x7f, 15: 0xfe})
}

// SAPGroupsOf are the groups to announce a stream in that goes to that address: of IPv6
// the one of its scope.
func SAPGroupsOf(to netip.Addr) []netip.Addr {
	to = to.Unmap()
	switch {
	case to.Is4():
		return SAPGroups
	case to.IsMulticast():
		return []netip.Addr{sapGroup6(to.As16()[1] & 0xf)}
	}
	const site = 5
	return []netip.Addr{sapGroup6(site)}
}

// MaxAnnouncementBytes is the largest announcement that is read.
const MaxAnnouncementBytes = MaxDescriptionBytes + 512

const (
	sapVersion     = 1 << 5
	sapVersionMask = 7 << 5
	sapIPv6        = 1 << 4
	sapDelete      = 1 << 2
	sapEncrypted   = 1 << 1
	sapCompressed  = 1 << 0

	sapPayloadType = "application/sdp"
)

// Announcement is a packet of the Session Announcement Protocol (RFC 2974): the
// description of a stream that its sender repeats for whoever listens, or, with
// Delete, takes back. Nothing in it is proven.
type Announcement struct {
	Delete bool
	Hash   uint16     // with Source, the identity of this version of the announcement; 0: not said
	Source netip.Addr // of the announcing machine, as it says itself
	SDP    []byte     // when Delete is set, the origin line is enough
}

// NewAnnouncement is the announcement of a description by the machine at source.
func NewAnnouncement(source netip.Addr, sdp []byte) Announcement {
	sum := crc32.ChecksumIEEE(sdp)
	hash := uint16(sum) ^ uint16(sum>>16)
	if hash == 0 { // it would say that there is none
		hash = 1
	}
	return Announcement{Hash: hash, Source: source, SDP: sdp}
}

// Marshal writes the packet.
func (a Announcement) Marshal() []byte {
	flags := byte(sapVersion)
	source := a.Source.Unmap()
	if !source.IsValid() {
		source = netip.IPv4Unspecified()
	}
	if source.Is6() {
		flags |= sapIPv6
	}
	if a.Delete {
		flags |= sapDelete
	}
	packet := []byte{flags, 0, 0, 0}
	binary.BigEndian.PutUint16(packet[2:], a.Hash)
	packet = append(packet, source.AsSlice()...)
	packet = append(packet, sapPayloadType...)
	packet = append(packet, 0)
	return append(packet, a.SDP...)
}

// ParseAnnouncement reads a packet of at most MaxAnnouncementBytes. What is
// encrypted or compressed is refused, and what is not SDP; authentication is passed
// over, for nothing here relies on it. SDP is a part of packet.
func ParseAnnouncement(packet []byte) (Announcement, error) {
	if len(packet) < 4 {
		return Announcement{}, errors.New("announcement: too short for SAP (RFC 2974)")
	}
	if len(packet) > MaxAnnouncementBytes {
		return Announcement{}, fmt.Errorf("announcement of %d bytes: legal is up to %d", len(packet), MaxAnnouncementBytes)
	}
	flags, authentication := packet[0], 4*int(packet[1])
	switch {
	case flags&sapVersionMask != sapVersion:
		return Announcement{}, fmt.Errorf("announcement: SAP version %d: legal is 1", flags>>5)
	case flags&sapEncrypted != 0:
		return Announcement{}, errors.New("announcement: is encrypted")
	case flags&sapCompressed != 0:
		return Announcement{}, errors.New("announcement: is compressed")
	}
	a := Announcement{Delete: flags&sapDelete != 0, Hash: binary.BigEndian.Uint16(packet[2:])}
	addressBytes := 4
	if flags&sapIPv6 != 0 {
		addressBytes = 16
	}
	rest := packet[4:]
	if len(rest) < addressBytes+authentication {
		return Announcement{}, errors.New("announcement: ends within its header")
	}
	a.Source, _ = netip.AddrFromSlice(rest[:addressBytes])
	a.Source = a.Source.Unmap()
	rest = rest[addressBytes+authentication:]
	// The payload type may be missing where the payload shows by itself what it is.
	if !beginsAsSDP(rest) {
		payloadType, sdp, found := bytes.Cut(rest, []byte{0})
		if len(rest) == 0 && a.Delete { // the hash says of what
			return a, nil
		}
		kind, _, _ := strings.Cut(string(payloadType), ";") // behind it: charset=
		if !found || !strings.EqualFold(trim(kind), sapPayloadType) {
			return Announcement{}, fmt.Errorf("announcement: payload type %q: legal is %s", clip(string(payloadType)), sapPayloadType)
		}
		rest = sdp
	}
	a.SDP = rest
	return a, nil
}

// beginsAsSDP says whether the first line of a text is one of SDP.
func beginsAsSDP(text []byte) bool {
	first, _, _ := strings.Cut(string(text), "\n")
	_, ok := readLine(strings.TrimPrefix(first, byteOrderMark))
	return ok
}

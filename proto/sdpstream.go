package proto

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// What the SDP of a plain stream has in addition to that of an offer. Audio devices on a
// network read it, and need these lines (AES67-2018, section 8; SMPTE ST
// 2110-30, section 6).

// describeStream adds it to a media section.
func (d Description) describeStream(media *sdp.MediaDescription) {
	for _, p := range d.Payloads {
		if p.Encoding != F32 && p.Encoding != Opus {
			media.WithValueAttribute("fmtp", strconv.Itoa(int(p.Type))+" channel-order=SMPTE2110.("+d.channelOrder()+")")
		}
	}
	if group := plainAddress(d.Address); d.Source.IsValid() && group.IsMulticast() {
		source := plainAddress(d.Source)
		media.WithValueAttribute("source-filter", " incl IN "+addressType(source)+" "+group.String()+" "+source.String())
	}
	// The sender's own clock and no other, which is the truth (RFC 7273, sections 4.6
	// and 5.2). Devices that follow PTP only will not lock to it.
	media.WithValueAttribute("ts-refclk", "local")
	media.WithValueAttribute("mediaclk", "sender")
}

// channelOrder is the convention of SMPTE ST 2110-30, section 6.2.2, table 1, where it
// is true of both PipeWire's order of positions and a JACK client's first to last port:
// its 7.1 has the sides before the rear, PipeWire's after it.
func (d Description) channelOrder() string {
	usual := d.SendChannels
	if d.OwnOrder {
		usual = 0
	}
	switch usual {
	case 1:
		return "M"
	case 2:
		return "ST"
	case 6:
		return "51"
	}
	return "U" + strconv.Itoa(100 + d.SendChannels)[1:] // U03
}

// destination writes the address of a connection line, with the TTL that IPv4
// multicast must have (RFC 8866, section 5.7).
func (d Description) destination(address netip.Addr) *sdp.Address {
	to := &sdp.Address{Address: address.String()}
	if d.declarative() && address.Is4() && address.IsMulticast() {
		ttl := max(1, d.TTL)
		to.TTL = &ttl
	}
	return to
}

func addressType(a netip.Addr) string {
	if a.Is6() {
		return "IP6"
	}
	return "IP4"
}

// readDestination reads where the stream goes: the section's connection lines, or else
// the session's. A host name is legal there, but we cannot use it. A text that only looks
// like an address is an error: we could never join it as a group.
func (d *Description) readDestination(scope sdpScope) error {
	for line := range scope.all() {
		if line.letter != 'c' {
			continue
		}
		for field := range strings.FieldsSeq(line.value) {
			text, rest, _ := strings.Cut(field, "/")
			address, err := netip.ParseAddr(text)
			if err != nil && meantAsAddress(text) {
				return &FieldError{Line: line.number, Field: "address", Value: clip(text), Legal: "239.69.1.7 or ff15::7, for example"}
			}
			if err != nil || address.IsUnspecified() {
				continue
			}
			d.Address = address.Unmap().WithZone("")
			d.readTTL(rest)
			return nil
		}
	}
	return nil
}

// meantAsAddress tells what somebody wrote for an address from names: 239.069.001.007 or
// 239.69.1.256, or whatever has a colon.
func meantAsAddress(text string) bool {
	numbers := strings.Trim(text, "0123456789.") == "" && strings.Contains(text, ".")
	return numbers || strings.Contains(text, ":")
}

// readTTL reads what stands behind the address of an IPv4 group, "TTL" or
// "TTL/NUMBER OF GROUPS".
func (d *Description) readTTL(text string) {
	if !d.declarative() || !d.Address.Is4() || !d.Address.IsMulticast() {
		return
	}
	d.TTL = 1 // where it is missing
	text, _, _ = strings.Cut(text, "/")
	if ttl, err := strconv.Atoi(text); err == nil && 1 <= ttl && ttl <= 255 {
		d.TTL = ttl
	}
}

// readSourceFilter reads the machine that alone may send to the group (RFC 4570).
// Of several the first is taken; what is not understood is passed over, as is every
// other attribute that we do not know.
func (d *Description) readSourceFilter(scope sdpScope) {
	if !d.declarative() || !d.Address.IsMulticast() {
		return
	}
	for line := range scope.attributes("source-filter") {
		fields := strings.Fields(line.value)
		if len(fields) < 5 || !strings.EqualFold(fields[0], "incl") || !isFor(fields[3], d.Address) {
			continue
		}
		source, err := netip.ParseAddr(fields[4])
		if err == nil && source.Is4() == d.Address.Is4() && !source.IsMulticast() && !source.IsUnspecified() {
			d.Source = source.WithZone("")
			return
		}
	}
}

// isFor says whether the destination of a source filter is that group. People copy it
// from the c= line, TTL and all.
func isFor(destination string, group netip.Addr) bool {
	text, _, _ := strings.Cut(destination, "/")
	address, err := netip.ParseAddr(text)
	return text == "*" || err == nil && address.WithZone("").Unmap() == group
}

package proto

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// The attributes that only our ends write and read.
const (
	attrVersion  = "x-archibald-version"
	attrRole     = "x-archibald-role"
	attrChannels = "x-archibald-channels" // send=N receive=M, seen from the end described; can-send=N can-receive=M
	attrClock    = "x-archibald-clock"    // kvm: its reports are on its host's clock
)

// clockKVM is the only value of attrClock; others are of no use to us.
const clockKVM = "kvm"

// The attributes that say in which directions sound flows (RFC 8866, section 6.7).
const (
	directionBoth     = sdp.AttrKeySendRecv
	directionSend     = sdp.AttrKeySendOnly
	directionReceive  = sdp.AttrKeyRecvOnly
	directionInactive = sdp.AttrKeyInactive
)

var directions = []string{directionBoth, directionSend, directionReceive, directionInactive}

// Marshal writes the description as SDP (RFC 8866). With Version 0 it writes no
// attribute of our own and states the direction as a plain stream's SDP does:
// from the point of view of whoever reads it.
func (d Description) Marshal() []byte {
	address := plainAddress(d.Address)
	origin := address
	if d.Origin.IsValid() {
		origin = plainAddress(d.Origin)
	} else if address.IsMulticast() { // a machine that is not known yet is none that listens there
		origin = netip.IPv6Unspecified()
		if address.Is4() {
			origin = netip.IPv4Unspecified()
		}
	}
	name := cleanName(d.Name, maxNameBytes)
	if name == "" {
		name = "-"
	}

	media := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media:  "audio",
		Port:   sdp.RangedPort{Value: d.Port},
		Protos: []string{"RTP", "AVP"},
	}}
	channels := d.SendChannels
	if channels == 0 {
		channels = d.ReceiveChannels
	}
	for _, p := range d.Payloads {
		payloadType := strconv.Itoa(int(p.Type))
		format := Format{Encoding: p.Encoding, RateHz: d.RateHz, Channels: channels}
		if p.Encoding == Opus {
			format.Channels = OpusChannels
		}
		media.MediaName.Formats = append(media.MediaName.Formats, payloadType)
		media.WithValueAttribute("rtpmap", payloadType+" "+format.String())
		if p.Encoding == Opus {
			media.WithValueAttribute("fmtp", payloadType+" "+d.opusParameters())
		}
	}
	if d.PacketFrames > 0 {
		media.WithValueAttribute("ptime", strconv.FormatFloat(d.ptimeMs(), 'f', 3, 64))
		media.WithValueAttribute("framecount", strconv.Itoa(d.PacketFrames))
	}
	media.WithPropertyAttribute(d.direction())
	if d.Version != 0 {
		media.WithValueAttribute(attrChannels, d.channels())
	}
	if d.Version != 0 {
		d.writeTerms(media)
		d.writeLock(media)
	}
	if d.declarative() {
		d.describeStream(media)
	}
	if d.RTCPMux {
		media.WithPropertyAttribute("rtcp-mux")
	}
	// PipeWire (1.4 to 1.6) refuses all of an SDP for what stands behind the number
	// here, and must stand there (RFC 5576, section 4.1). Nobody who receives a plain stream needs it.
	if d.SSRC != 0 && !d.declarative() {
		source := strconv.FormatUint(uint64(d.SSRC), 10)
		if cname := cleanCNAME(d.CNAME); cname != "" {
			source += " cname:" + cname
		}
		media.WithValueAttribute("ssrc", source)
	}

	session := &sdp.SessionDescription{
		Origin: sdp.Origin{
			Username:       "-",
			SessionID:      uint64(d.SSRC),
			SessionVersion: d.Revision,
			NetworkType:    "IN",
			AddressType:    addressType(origin),
			UnicastAddress: origin.String(),
		},
		SessionName: sdp.SessionName(name),
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN",
			AddressType: addressType(address),
			Address:     d.destination(address),
		},
		TimeDescriptions:  []sdp.TimeDescription{{}},
		MediaDescriptions: []*sdp.MediaDescription{media},
	}
	if d.Version != 0 {
		session.WithValueAttribute(attrVersion, strconv.Itoa(d.Version))
		session.WithValueAttribute(attrRole, string(d.Role))
		if d.OnHostClock {
			session.WithValueAttribute(attrClock, clockKVM)
		}
	}
	text, err := session.Marshal()
	if err != nil { // pion/sdp writes from memory to memory
		panic("proto: " + err.Error())
	}
	return text
}

// plainAddress is what an SDP line can say of an address.
func plainAddress(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return netip.IPv4Unspecified()
	}
	return a.Unmap().WithZone("")
}

// direction is the direction attribute that Marshal writes.
func (d Description) direction() string {
	sends, receives := d.SendChannels > 0, d.ReceiveChannels > 0
	if d.declarative() {
		sends, receives = receives, sends
	}
	switch {
	case sends && receives:
		return directionBoth
	case sends:
		return directionSend
	case receives:
		return directionReceive
	}
	return directionInactive
}

// declarative tells the SDP of a plain stream from an offer or an answer. In
// the former recvonly means that the reader receives, which is how AES67
// devices and PipeWire announce what they send (RFC 8866, section 6.7); in the
// latter it is said of the writer (RFC 3264, section 5.1).
func (d Description) declarative() bool { return d.Version == 0 }

func cleanCNAME(s string) string {
	return strings.ReplaceAll(cleanName(s, maxCNAMEBytes), " ", "")
}

// channels is the value of attrChannels. Ends that do not know a key pass over it.
func (d Description) channels() string {
	text := fmt.Sprintf("send=%d receive=%d", d.SendChannels, d.ReceiveChannels)
	if d.CanSend > 0 {
		text += fmt.Sprintf(" can-send=%d", d.CanSend)
	}
	if d.CanReceive > 0 {
		text += fmt.Sprintf(" can-receive=%d", d.CanReceive)
	}
	return text
}

package proto

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// ParseDescription reads an SDP offer, an answer or the SDP of a plain stream.
// It takes the first m=audio line of RTP/AVP that has an encoding of ours.
// Unknown attributes and encodings are passed over; a number out of bounds is a
// *FieldError, another protocol version a *VersionError. The input is at most
// MaxDescriptionBytes.
func ParseDescription(text []byte) (Description, error) {
	if len(text) > MaxDescriptionBytes {
		return Description{}, fmt.Errorf("SDP of %d bytes: legal is up to %d", len(text), MaxDescriptionBytes)
	}
	if err := checkPorts(text); err != nil {
		return Description{}, err
	}
	var session sdp.SessionDescription
	if err := session.Unmarshal(text); err != nil {
		return Description{}, errors.New("not a session description (SDP, RFC 8866)")
	}

	d := Description{
		Name:     cleanName(string(session.SessionName), maxNameBytes),
		Revision: session.Origin.SessionVersion,
	}
	if err := d.readIdentity(&session); err != nil {
		return Description{}, err
	}
	media, err := d.readPayloads(session.MediaDescriptions)
	if err != nil {
		return Description{}, err
	}
	d.Port, err = parseInt("m=audio port", strconv.Itoa(media.MediaName.Port.Value), 1, 65535, "")
	if err != nil {
		return Description{}, err
	}
	d.readDestination(&session, media)
	d.readSourceFilter(&session, media)
	if err := d.readOpus(media); err != nil {
		return Description{}, err
	}
	if err := d.readChannels(&session, media); err != nil {
		return Description{}, err
	}
	if err := d.readPacketTime(media); err != nil {
		return Description{}, err
	}
	if err := d.readSource(media); err != nil {
		return Description{}, err
	}
	if err := d.readRedundancy(media); err != nil {
		return Description{}, err
	}
	d.Lateness = !d.declarative() && slices.ContainsFunc(media.Attributes, func(a sdp.Attribute) bool {
		return a.Key == "extmap" && strings.Join(strings.Fields(a.Value), " ") == latenessExtension
	})
	_, d.RTCPMux = media.Attribute("rtcp-mux")
	return d, nil
}

// checkPorts names a port out of range, where the SDP library would only say
// that something is wrong.
func checkPorts(text []byte) error {
	for line := range bytes.Lines(text) {
		rest, found := bytes.CutPrefix(line, []byte("m=audio "))
		if !found {
			continue
		}
		port, _, _ := strings.Cut(string(bytes.TrimSpace(rest)), " ")
		port, _, _ = strings.Cut(port, "/") // "/N": a number of ports
		if _, err := parseInt("m=audio port", port, 0, 65535, ""); err != nil {
			return &FieldError{Field: "m=audio port", Value: clip(port), Legal: "1 to 65535"}
		}
	}
	return nil
}

// readIdentity reads version and role. The version comes first: what another
// version means by the rest is not known.
func (d *Description) readIdentity(session *sdp.SessionDescription) error {
	value, found := session.Attribute(attrVersion)
	if !found {
		return nil
	}
	version, err := parseInt(attrVersion, value, 1, 1<<20, "")
	if err != nil {
		return err
	}
	if version != Version {
		return &VersionError{Peer: version, Ours: Version}
	}
	d.Version = version
	clock, _ := session.Attribute(attrClock)
	d.OnHostClock = clock == clockKVM

	role, _ := session.Attribute(attrRole)
	switch d.Role = Role(role); d.Role {
	case Guest, Host:
		return nil
	}
	return &FieldError{Field: attrRole, Value: clip(role), Legal: "guest, host"}
}

// readPayloads chooses the media section and fills in Payloads, RateHz and, as
// the rtpmap says it, SendChannels.
func (d *Description) readPayloads(sections []*sdp.MediaDescription) (*sdp.MediaDescription, error) {
	var seen []string
	for _, media := range sections {
		if media.MediaName.Media != "audio" || strings.Join(media.MediaName.Protos, "/") != "RTP/AVP" {
			continue
		}
		for _, formatType := range media.MediaName.Formats {
			mapping := rtpmap(media, formatType)
			if mapping == "" {
				continue
			}
			parts := strings.Split(mapping, "/")
			encoding, err := ParseEncoding(parts[0])
			if err != nil {
				seen = append(seen, parts[0])
				continue
			}
			if err := d.addPayload(formatType, encoding, parts[1:]); err != nil {
				return nil, err
			}
		}
		if len(d.Payloads) > 0 {
			return media, nil
		}
	}
	if len(seen) > 0 {
		return nil, &FieldError{Field: "encoding", Value: clip(strings.Join(seen, ", ")), Legal: "L16, L24, F32, opus"}
	}
	return nil, errors.New("SDP has no m=audio line of RTP/AVP with an rtpmap")
}

// addPayload notes one rtpmap. All of a section share rate and channels: those
// that differ from the preferred one are passed over.
func (d *Description) addPayload(formatType string, encoding Encoding, parameters []string) error {
	payloadType, err := parseInt("payload type", formatType, 0, 127, "")
	if err != nil {
		return err
	}
	rate, channels := "", "1" // RFC 8866, section 6.6
	if len(parameters) > 0 {
		rate = parameters[0]
	}
	if len(parameters) > 1 {
		channels = parameters[1]
	}
	rateHz, err := parseInt("rtpmap rate", rate, minRateHz, maxRateHz, " Hz")
	if err != nil {
		return err
	}
	count, err := parseInt("rtpmap channels", channels, 1, maxDescribedChannels, "")
	if err != nil {
		return err
	}
	if encoding == Opus {
		if err := checkOpus(rateHz, count); err != nil {
			return err
		}
	}
	// How many channels a stream of Opus has the rtpmap does not say.
	if len(d.Payloads) > 0 && (rateHz != d.RateHz || encoding != Opus && count != d.SendChannels) {
		return nil
	}
	d.Payloads = append(d.Payloads, Payload{Type: uint8(payloadType), Encoding: encoding})
	d.RateHz, d.SendChannels = rateHz, count
	return nil
}

// rtpmap finds "L24/48000/2" for a payload type, the two static ones of linear
// audio included (RFC 3551, section 6).
func rtpmap(media *sdp.MediaDescription, formatType string) string {
	for _, a := range media.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		payloadType, mapping, _ := strings.Cut(strings.TrimSpace(a.Value), " ")
		if payloadType == formatType {
			return strings.TrimSpace(mapping)
		}
	}
	switch formatType {
	case "10":
		return "L16/44100/2"
	case "11":
		return "L16/44100/1"
	}
	return ""
}

// readChannels completes the channel counts, of which the rtpmap gave one.
func (d *Description) readChannels(session *sdp.SessionDescription, media *sdp.MediaDescription) error {
	d.ReceiveChannels = d.SendChannels
	if value, found := media.Attribute(attrChannels); found && !d.declarative() {
		for _, field := range strings.Fields(value) {
			key, number, _ := strings.Cut(field, "=")
			var count *int
			switch key {
			case "send":
				count = &d.SendChannels
			case "receive":
				count = &d.ReceiveChannels
			case "can-send":
				count = &d.CanSend
			case "can-receive":
				count = &d.CanReceive
			default:
				continue
			}
			var err error
			if *count, err = parseInt(attrChannels+" "+key, number, 0, maxDescribedChannels, ""); err != nil {
				return err
			}
		}
	}

	sends, receives := true, true
	switch directionAttribute(session, media) {
	case sdp.AttrKeySendOnly:
		receives = false
	case sdp.AttrKeyRecvOnly:
		sends = false
	case sdp.AttrKeyInactive:
		sends, receives = false, false
	}
	if d.declarative() {
		sends, receives = receives, sends
	}
	if !sends {
		d.SendChannels = 0
	}
	if !receives {
		d.ReceiveChannels = 0
	}
	if d.SendChannels == 0 && d.ReceiveChannels == 0 {
		return &FieldError{Field: "direction", Value: sdp.AttrKeyInactive, Legal: "sendrecv, sendonly, recvonly"}
	}
	return nil
}

// directionAttribute looks in the media section, then in the session section
// (RFC 8866, section 6.7).
func directionAttribute(session *sdp.SessionDescription, media *sdp.MediaDescription) string {
	for _, attributes := range [][]sdp.Attribute{media.Attributes, session.Attributes} {
		for _, a := range attributes {
			switch a.Key {
			case sdp.AttrKeySendRecv, sdp.AttrKeySendOnly, sdp.AttrKeyRecvOnly, sdp.AttrKeyInactive:
				return a.Key
			}
		}
	}
	return ""
}

// readPacketTime prefers framecount, which is exact, to ptime.
func (d *Description) readPacketTime(media *sdp.MediaDescription) error {
	if value, found := media.Attribute("ptime"); found {
		ms, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(ms >= minPtimeMs && ms <= maxPtimeMs) { // so written, NaN fails
			return &FieldError{Field: "ptime", Value: clip(value), Legal: "0.005 to 100 ms"}
		}
		d.PacketFrames = framesOf(ms, d.RateHz)
	}
	if value, found := media.Attribute("framecount"); found {
		low, high := packetFramesRange(d.RateHz)
		frames, err := parseInt("framecount", value, low, high, " frames")
		if err != nil {
			return err
		}
		d.PacketFrames = frames
	}
	return nil
}

// readRedundancy reads the wish for repetition of an end that knows it.
func (d *Description) readRedundancy(media *sdp.MediaDescription) error {
	value, found := media.Attribute(attrRedundancy)
	if !found || d.declarative() {
		return nil
	}
	number := map[string]string{}
	for i, field := range strings.Fields(value) {
		key, text, _ := strings.Cut(field, "=")
		if i == 0 {
			key, text = "", field
		}
		number[key] = text
	}
	for _, read := range []struct {
		into      *int
		key       string
		low, high int
	}{
		{&d.Redundancy, "", 0, MaxRedundancy},
		{&d.RedundancyDistance, "distance", 0, MaxRedundancyDistance},
		{&d.PeriodFrames, "period", 1, maxPeriodFrames},
	} {
		var err error
		if *read.into, err = parseInt(strings.TrimSpace(attrRedundancy+" "+read.key), number[read.key], read.low, read.high, ""); err != nil {
			return err
		}
	}
	return nil
}

// readSource reads the first a=ssrc line (RFC 5576), and its cname, which may
// be on a later line of the same SSRC.
func (d *Description) readSource(media *sdp.MediaDescription) error {
	for _, a := range media.Attributes {
		if a.Key != "ssrc" {
			continue
		}
		number, attribute, _ := strings.Cut(strings.TrimSpace(a.Value), " ")
		ssrc, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return &FieldError{Field: "ssrc", Value: clip(number), Legal: "0 to 4294967295"}
		}
		if d.SSRC == 0 {
			d.SSRC = uint32(ssrc)
		}
		if cname, found := strings.CutPrefix(attribute, "cname:"); found && uint32(ssrc) == d.SSRC && d.CNAME == "" {
			d.CNAME = cleanCNAME(cname)
		}
	}
	if d.SSRC == 0 {
		d.CNAME = ""
	}
	return nil
}

func parseInt(field, value string, low, high int, unit string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < low || n > high {
		return 0, &FieldError{Field: field, Value: clip(value), Legal: fmt.Sprintf("%d to %d%s", low, high, unit)}
	}
	return n, nil
}

// clip keeps a value from outside short enough for one line.
func clip(value string) string { return cleanName(value, 32) }

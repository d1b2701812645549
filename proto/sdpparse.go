package proto

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ParseDescription reads an SDP offer, an answer or the SDP of a plain stream.
//
// Of a plain stream, which anybody may have written, it takes the first m=audio section
// of RTP/AVP that can be received, whatever stands before and behind it; values that
// only inform and make no sense are taken for not said. An offer or an answer of ours
// is refused for any value out of bounds.
//
// Errors name line and reason: a number out of bounds is a *FieldError, another
// protocol version a *VersionError. The input is at most MaxDescriptionBytes.
func ParseDescription(text []byte) (Description, error) {
	if len(text) > MaxDescriptionBytes {
		return Description{}, fmt.Errorf("SDP of %d bytes: legal is up to %d", len(text), MaxDescriptionBytes)
	}
	session, sections, any := readLines(string(text))
	if !any && len(text) > 0 {
		return Description{}, errors.New("not a session description (SDP, RFC 8866): line 1 is none of it")
	}
	d := Description{Name: SessionName(session.first('s').value)}
	_, d.Revision = splitOrigin(session.first('o').value)
	if err := d.readIdentity(sdpScope{session: session}); err != nil {
		return Description{}, err
	}
	var refusal error // of the first section that is audio
	tried := 0
	for _, section := range sections {
		if !audio(section.media) {
			continue
		}
		if tried++; tried > maxSections {
			break
		}
		read, err := d.readSection(sdpScope{section, session})
		if err == nil {
			return read, nil
		}
		if refusal == nil {
			refusal = err
		}
		if !d.declarative() {
			break
		}
	}
	switch {
	case refusal != nil:
		return Description{}, refusal
	case len(sections) > 0:
		return Description{}, noStream(sections[0].media)
	}
	return Description{}, errors.New(noStreamText)
}

// maxSections bounds the time that a text can cost: each section is read together with
// all that stands before the first.
const maxSections = 32

const noStreamText = "SDP has no m=audio line of RTP/AVP with an rtpmap"

func noStream(media sdpLine) error {
	return fmt.Errorf("%s: line %d is none", noStreamText, media.number)
}

// audio says whether a section is of audio that comes as plain RTP.
func audio(media sdpLine) bool {
	fields := strings.Fields(media.value)
	if len(fields) < 3 || !strings.EqualFold(fields[0], "audio") {
		return false
	}
	transport := strings.TrimSuffix(strings.ToUpper(fields[2]), "/UDP") // as RTSP names it (RFC 2326)
	return transport == "RTP/AVP" || transport == "RTP/AVPF"
}

// readSection completes a description with the lines of one stream. Identity and name were
// read before.
func (d Description) readSection(scope sdpScope) (Description, error) {
	fields := strings.Fields(scope.media.media.value) // audio has counted them
	if err := d.readPayloads(scope, fields[3:]); err != nil {
		return Description{}, err
	}
	port, _, _ := strings.Cut(fields[1], "/") // "/N": a number of ports
	var err error
	if d.Port, err = parseInt(scope.media.media.number, "m=audio port", port, 1, 65535, ""); err != nil {
		return Description{}, err
	}
	if err := d.readDestination(scope); err != nil {
		return Description{}, err
	}
	d.readSourceFilter(scope)
	for _, read := range []func(sdpScope) error{d.readOpus, d.readChannels, d.readPacketTime, d.readSource, d.readTerms, d.readLock} {
		if err := read(scope); err != nil {
			return Description{}, err
		}
	}
	_, d.RTCPMux = scope.attribute("rtcp-mux")
	return d, nil
}

// tolerate is the error of a value that only informs.
func (d *Description) tolerate(err error) error {
	if d.declarative() {
		return nil
	}
	return err
}

// readIdentity reads version and role. The version comes first: what another
// version means by the rest is not known.
func (d *Description) readIdentity(session sdpScope) error {
	line, found := session.attribute(attrVersion)
	if !found {
		return nil
	}
	version, err := parseInt(line.number, attrVersion, line.value, 1, 1<<20, "")
	if err != nil {
		return err
	}
	if version != Version {
		return &VersionError{Peer: version, Ours: Version}
	}
	d.Version = version
	clock, _ := session.attribute(attrClock)
	d.OnHostClock = clock.value == clockKVM

	role, found := session.attribute(attrRole)
	if !found {
		role.number = line.number
	}
	switch d.Role = Role(role.value); d.Role {
	case Guest, Host:
		return nil
	}
	return &FieldError{Line: role.number, Field: attrRole, Value: clip(role.value), Legal: "guest, host"}
}

// readChannels completes the channel counts. The rtpmap gave one of them.
func (d *Description) readChannels(scope sdpScope) error {
	direction, _ := scope.attribute(directions...)
	said := direction.number
	if d.declarative() {
		// It is sent, or there would be no description of it. Whether its writer says
		// sendonly, of itself, or recvonly, of the reader, is a matter of taste.
		if direction.key == directionInactive {
			return inactive(said)
		}
		return nil
	}
	d.ReceiveChannels = d.SendChannels
	if line, found := scope.attribute(attrChannels); found {
		if direction.key != directionInactive {
			said = line.number
		}
		for field := range strings.FieldsSeq(line.value) {
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
			if *count, err = parseInt(line.number, attrChannels+" "+key, number, 0, maxDescribedChannels, ""); err != nil {
				return err
			}
		}
	}
	if direction.key == directionReceive || direction.key == directionInactive {
		d.SendChannels = 0
	}
	if direction.key == directionSend || direction.key == directionInactive {
		d.ReceiveChannels = 0
	}
	if d.SendChannels == 0 && d.ReceiveChannels == 0 {
		return inactive(said)
	}
	return nil
}

func inactive(line int) error {
	return &FieldError{Line: line, Field: "direction", Value: directionInactive, Legal: "sendrecv, sendonly, recvonly"}
}

// readPacketTime prefers framecount, which is exact, to ptime.
func (d *Description) readPacketTime(scope sdpScope) error {
	if line, found := scope.attribute("ptime"); found {
		ms, err := strconv.ParseFloat(line.value, 64)
		if err != nil || !(ms >= minPtimeMs && ms <= maxPtimeMs) { // so written, NaN fails
			if err := d.tolerate(&FieldError{Line: line.number, Field: "ptime", Value: clip(line.value), Legal: "0.005 to 100 ms"}); err != nil {
				return err
			}
		} else {
			d.PacketFrames = framesOf(ms, d.RateHz)
		}
	}
	if line, found := scope.attribute("framecount"); found {
		low, high := packetFramesRange(d.RateHz)
		frames, err := parseInt(line.number, "framecount", line.value, low, high, " frames")
		if err != nil {
			return d.tolerate(err)
		}
		d.PacketFrames = frames
	}
	return nil
}

// readSource reads the first a=ssrc line (RFC 5576), and its cname, which may
// be on a later line of the same SSRC.
func (d *Description) readSource(scope sdpScope) error {
	for line := range scope.attributes("ssrc") {
		number, attribute, _ := strings.Cut(line.value, " ")
		ssrc, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			err := &FieldError{Line: line.number, Field: "ssrc", Value: clip(number), Legal: "0 to 4294967295"}
			if err := d.tolerate(err); err != nil {
				return err
			}
			continue
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

// parseInt reads a number on a line of the text.
func parseInt(line int, field, value string, low, high int, unit string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < low || n > high {
		return 0, &FieldError{Line: line, Field: field, Value: clip(value), Legal: fmt.Sprintf("%d to %d%s", low, high, unit)}
	}
	return n, nil
}

// clip keeps a value from outside short enough for one line.
func clip(value string) string { return cleanName(value, 32) }

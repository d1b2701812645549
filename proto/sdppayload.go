package proto

import (
	"fmt"
	"strconv"
	"strings"
)

// readPayloads fills in Payloads, RateHz and, as the rtpmap says it, SendChannels.
func (d *Description) readPayloads(scope sdpScope, types []string) error {
	mappings := rtpmaps(scope)
	var unknown []string
	var refusal, unknownAt = error(nil), 0
	for _, formatType := range types {
		formatType = canonicalType(formatType)
		mapping, found := mappings[formatType]
		if !found {
			continue
		}
		parts := strings.Split(mapping.value, "/")
		for i, part := range parts {
			parts[i], _, _ = strings.Cut(trim(part), " ") // what people note behind it
		}
		encoding, err := ParseEncoding(parts[0])
		if err != nil {
			if unknown = append(unknown, parts[0]); len(unknown) == 1 {
				unknownAt = mapping.number
			}
			continue
		}
		if err := d.addPayload(mapping.number, formatType, encoding, parts[1:]); err != nil {
			if refusal == nil {
				refusal = err
			}
			if !d.declarative() {
				return err
			}
		}
	}
	switch {
	case len(d.Payloads) > 0:
		return nil
	case refusal != nil:
		return refusal
	case len(unknown) > 0:
		return &FieldError{Line: unknownAt, Field: "encoding", Value: clip(strings.Join(unknown, ", ")), Legal: "L16, L24, F32, opus"}
	}
	return noStream(scope.media.media)
}

// rtpmaps has "L24/48000/2" for each payload type, the two static ones of linear audio
// included (RFC 3551, section 6). The first map of a type counts.
func rtpmaps(scope sdpScope) map[string]sdpLine {
	mappings := map[string]sdpLine{}
	for line := range scope.attributes("rtpmap") {
		fields := strings.Fields(line.value)
		if len(fields) < 2 {
			continue
		}
		formatType := canonicalType(fields[0])
		if _, found := mappings[formatType]; !found {
			mappings[formatType] = sdpLine{number: line.number, value: strings.Join(fields[1:], " ")}
		}
	}
	for formatType, mapping := range map[string]string{"10": "L16/44100/2", "11": "L16/44100/1"} {
		if _, found := mappings[formatType]; !found {
			mappings[formatType] = sdpLine{number: scope.media.media.number, value: mapping}
		}
	}
	return mappings
}

// canonicalType is a payload type as numbers are mostly written: 097 is 97.
func canonicalType(text string) string {
	if n, err := strconv.ParseUint(text, 10, 8); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return text
}

// addPayload notes one rtpmap, of the line with the number. All of a section share rate
// and channels: those that differ from the preferred one are passed over.
func (d *Description) addPayload(number int, formatType string, encoding Encoding, parameters []string) error {
	payloadType, err := parseInt(number, "payload type", formatType, 0, 127, "")
	if err != nil {
		return err
	}
	if IsRTCP([]byte{0x80, 0x80 | uint8(payloadType), 0, 0}) {
		return fmt.Errorf("SDP line %d: payload type %d cannot be told from RTCP (RFC 5761, section 4)", number, payloadType)
	}
	rate, channels := "", "1" // RFC 8866, section 6.6
	if len(parameters) > 0 {
		rate = parameters[0]
	}
	if len(parameters) > 1 && parameters[1] != "" {
		channels = parameters[1]
	}
	rateHz, err := parseInt(number, "rtpmap rate", rate, minRateHz, maxRateHz, " Hz")
	if err != nil {
		return err
	}
	most := MaxChannels // of a plain stream all are received, or none
	if !d.declarative() {
		most = maxDescribedChannels
	}
	count, err := parseInt(number, "rtpmap channels", channels, 1, most, "")
	if err != nil {
		return err
	}
	if encoding == Opus {
		if err := checkOpus(number, rateHz, count); err != nil {
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

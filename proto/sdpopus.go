package proto

import (
	"fmt"
	"strconv"
	"strings"
)

// What an SDP says about Opus in addition to the rtpmap, which is the same for every Opus
// stream (RFC 7587, sections 6.1 and 7).

// Bounds of maxaveragebitrate.
const (
	minOpusBitrate = 6000
	maxOpusBitrate = 510000
)

// opusParameters is the value of the fmtp line. The reader of a plain stream's SDP
// is told what comes, as if by an offer of the sender.
func (d Description) opusParameters() string {
	var parameters []string
	flag := func(name string, channels int) {
		if channels > 0 {
			parameters = append(parameters, name+"="+strconv.Itoa(min(channels, OpusChannels)-1))
		}
	}
	sends, receives := d.SendChannels, d.ReceiveChannels
	if d.declarative() {
		sends = max(sends, receives)
		receives = sends
	}
	flag("stereo", receives)
	flag("sprop-stereo", sends)
	if d.MaxBitrate > 0 {
		parameters = append(parameters, "maxaveragebitrate="+strconv.Itoa(d.MaxBitrate))
	}
	return strings.Join(parameters, ";")
}

// checkOpus says what is wrong with the rtpmap of Opus, which has one legal value.
func checkOpus(line, rateHz, channels int) error {
	if rateHz != OpusRateHz || channels != OpusChannels {
		return &FieldError{Line: line, Field: "rtpmap of opus", Value: fmt.Sprintf("%d/%d", rateHz, channels), Legal: "48000/2 (RFC 7587)"}
	}
	return nil
}

// readOpus reads the fmtp line when Opus is preferred: the bitrate and, of a plain
// stream, whether it has one channel only. Where nothing is said two are decoded,
// which is right for either.
func (d *Description) readOpus(scope sdpScope) error {
	if d.Payloads[0].Encoding != Opus {
		return nil
	}
	payloadType := strconv.Itoa(int(d.Payloads[0].Type))
	for line := range scope.attributes("fmtp") {
		fields := strings.Fields(line.value)
		if len(fields) == 0 || canonicalType(fields[0]) != payloadType {
			continue
		}
		parameters := strings.Join(fields[1:], " ")
		for parameter := range strings.SplitSeq(parameters, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "sprop-stereo":
				if d.declarative() && strings.TrimSpace(value) == "0" {
					d.SendChannels, d.Payloads = 1, d.Payloads[:1]
				}
			case "maxaveragebitrate":
				bitrate, err := parseInt(line.number, "maxaveragebitrate", value, minOpusBitrate, maxOpusBitrate, " bit/s")
				if err != nil {
					if err := d.tolerate(err); err != nil {
						return err
					}
					continue
				}
				d.MaxBitrate = bitrate
			}
		}
	}
	return nil
}

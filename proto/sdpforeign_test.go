package proto

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// As these programs wrote them, whole.
const (
	ffmpegL24 = `v=0
o=- 0 0 IN IP4 127.0.0.1
s=No Name
c=IN IP4 127.0.0.1
t=0 0
a=tool:libavformat LIBAVFORMAT_VERSION
m=audio 45678 RTP/AVP 97
b=AS:34560
a=rtpmap:97 L24/96000/15
`
	ffmpegL16 = `v=0
o=- 0 0 IN IP4 127.0.0.1
s=No Name
c=IN IP4 127.0.0.1
t=0 0
a=tool:libavformat LIBAVFORMAT_VERSION
m=audio 45678 RTP/AVP 10
b=AS:1411
`
	pipewire03 = `v=0
o=root 4004541185 0 IN IP4 10.47.12.2
s=case7
c=IN IP4 239.69.12.7/1
t=4004541185 0
a=recvonly
a=tool:PipeWire 0.3.65
m=audio 20014 RTP/AVP 127
a=rtpmap:127 L24/48000/2
a=type:broadcast
a=ptime:4
`
	pipewire14 = `v=0
o=root 0 0 IN IP4 10.47.12.2
s=case1
c=IN IP4 239.69.12.1/1
t=0 0
m=audio 20002 RTP/AVP 127
i=2 channels: AUX1, AUX2
a=recvonly
a=rtpmap:127 L24/48000/2
a=source-filter: incl IN IP4 239.69.12.1 10.47.12.2
a=ssrc:502347954
a=ptime:4.29167
a=framecount:206
a=mediaclk:sender
a=tool:PipeWire 1.4.2
a=type:broadcast
`
)

func TestWhatOthersWriteIsRead(t *testing.T) {
	local, theirs := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.47.12.2")
	for name, test := range map[string]struct {
		text string
		want Description
	}{
		"ffmpeg 5.1, L24 of 15 channels": {ffmpegL24, Description{
			Name: "No Name", Address: local, Port: 45678, Payloads: []Payload{{97, L24}}, RateHz: 96000, SendChannels: 15,
		}},
		"ffmpeg 5.1, L16 at 44.1 kHz without a map": {ffmpegL16, Description{
			Name: "No Name", Address: local, Port: 45678, Payloads: []Payload{{10, L16}}, RateHz: 44100, SendChannels: 2,
		}},
		"PipeWire 0.3.65": {pipewire03, Description{
			Name: "case7", Address: netip.MustParseAddr("239.69.12.7"), TTL: 1, Port: 20014,
			Payloads: []Payload{{127, L24}}, RateHz: 48000, SendChannels: 2, PacketFrames: 192,
		}},
		"PipeWire 1.4.2": {pipewire14, Description{
			Name: "case1", Address: netip.MustParseAddr("239.69.12.1"), TTL: 1, Source: theirs, Port: 20002,
			Payloads: []Payload{{127, L24}}, RateHz: 48000, SendChannels: 2, PacketFrames: 206, SSRC: 502347954,
		}},
	} {
		for _, end := range []string{"\n", "\r\n"} {
			got, err := ParseDescription([]byte(strings.ReplaceAll(test.text, "\n", end)))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got, test.want)
			}
		}
	}
}

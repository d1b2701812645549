package proto

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func FuzzParseDescription(f *testing.F) {
	files, err := filepath.Glob("testdata/sdp/*.sdp")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	eachOdd(func(name, text string, _ Description) {
		if strings.HasPrefix(name, "radio") {
			f.Add([]byte(text))
		}
	})
	f.Add(guest().Marshal())
	f.Add(host().Marshal())
	f.Add(opusGuest(2, 1).Marshal())
	for _, wish := range ClockWishes {
		g, _ := wishers(wish, "", FollowsAny, "")
		f.Add(g.Marshal())
	}
	f.Add([]byte("v=0\r\no=- 0 0 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97 98\r\na=rtpmap:97 OPUS/48000/2\r\na=fmtp:97 sprop-stereo=0;maxaveragebitrate=64000\r\na=rtpmap:98 L24/48000/2\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := ParseDescription(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 300 {
				t.Fatalf("error not of one short line: %q", err)
			}
			return
		}
		if d.RateHz < 8000 || d.RateHz > 192000 || d.Port < 1 || d.Port > 65535 || len(d.Payloads) == 0 ||
			d.SendChannels < 0 || d.SendChannels > maxDescribedChannels || d.ReceiveChannels < 0 || d.ReceiveChannels > maxDescribedChannels ||
			d.SendChannels+d.ReceiveChannels == 0 || d.PacketFrames < 0 || d.PacketFrames > 19200 {
			t.Fatalf("out of bounds: %+v", d)
		}
		again, err := ParseDescription(d.Marshal())
		if err != nil {
			t.Fatalf("our own text is refused: %v\n%s", err, d.Marshal())
		}
		if d.Version == 0 {
			d.SSRC, d.CNAME = 0, "" // read of others, not written
		}
		if !reflect.DeepEqual(again, d) {
			t.Fatalf("got  %+v\nwant %+v", again, d)
		}
	})
}

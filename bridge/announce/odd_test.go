package announce

import (
	"strings"
	"testing"

	"archibald-bridge/proto"
)

// What may stand in a text is tested in proto; here that announcements are no stricter.
func TestAnOddAnnouncementIsFollowed(t *testing.T) {
	plain := stream5004("239.69.1.2")
	plain.Source = desk
	text := string(plain.Marshal())
	for name, edit := range map[string]func(string) string{
		"as it is":         func(s string) string { return s },
		"sendonly":         func(s string) string { return strings.Replace(s, "a=recvonly", "a=sendonly", 1) },
		"no direction":     func(s string) string { return strings.Replace(s, "a=recvonly\r\n", "", 1) },
		"no last line end": func(s string) string { return strings.TrimSuffix(s, "\r\n") },
		"zeros behind":     func(s string) string { return s + "\x00\x00" },
		"CR alone":         func(s string) string { return strings.ReplaceAll(s, "\r\n", "\r") },
		"no version":       func(s string) string { return strings.TrimPrefix(s, "v=0\r\n") },
		"byte order mark":  func(s string) string { return "\ufeff" + s },
		"ptime in words":   func(s string) string { return s + "a=ptime:fast\r\n" },
		"video first":      func(s string) string { return strings.Replace(s, "m=audio", "m=video 9 RTP/AVP 97\r\nm=audio", 1) },
	} {
		f := follower{wanted: wanted}
		packet := proto.NewAnnouncement(desk, []byte(edit(text))).Marshal()
		changed, err := f.hear(packet, desk, start)
		if !changed || err != nil || !same(*f.received, plain) {
			t.Errorf("%s: %v, %v\n%+v", name, changed, err, f.received)
		}
		header := len(packet) - len(edit(text)) - len("application/sdp\x00")
		bare := append(packet[:header:header], edit(text)...)
		f = follower{wanted: wanted}
		if changed, err := f.hear(bare, desk, start); !changed || err != nil {
			t.Errorf("%s, without a payload type: %v, %v", name, changed, err)
		}
	}
}

func TestWhyAnOddAnnouncementIsRefusedIsTold(t *testing.T) {
	text := string(change(func(d *proto.Description) { d.RateHz = 1 }))
	text = text[strings.Index(text, "v=0"):]
	for _, end := range []string{"\r\n", "\n", "\r", " \n"} {
		packet := proto.NewAnnouncement(desk, []byte(strings.ReplaceAll(text, "\r\n", end))).Marshal()
		f := follower{wanted: wanted}
		if changed, err := f.hear(packet, desk, start); changed || err == nil || !strings.Contains(err.Error(), "SDP line 7: rtpmap rate") {
			t.Errorf("%q: %v, %v", end, changed, err)
		}
	}
}

package proto

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

var announcer = netip.MustParseAddr("192.168.122.2")

func TestAnAnnouncementIsReadAsItWasWritten(t *testing.T) {
	sdp := host().Marshal()
	for _, source := range []netip.Addr{announcer, netip.MustParseAddr("2001:db8::7")} {
		for _, remove := range []bool{false, true} {
			want := NewAnnouncement(source, sdp)
			want.Delete = remove
			got, err := ParseAnnouncement(want.Marshal())
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%v, delete %v: %+v, %v", source, remove, got, err)
			}
		}
	}
}

func TestAnAnnouncementIsLaidOutAsTheStandardSays(t *testing.T) {
	a := Announcement{Hash: 0x1234, Source: announcer, SDP: []byte("v=0\r\n")}
	want := "\x20\x00\x12\x34\xc0\xa8\x7a\x02application/sdp\x00v=0\r\n"
	if got := string(a.Marshal()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	a.Delete = true
	if got := a.Marshal()[0]; got != 0x24 {
		t.Errorf("flags of a deletion: %#x", got)
	}
}

func TestAnotherVersionOfADescriptionHasAnotherHash(t *testing.T) {
	first, second := host(), host()
	second.Revision++
	a, b := NewAnnouncement(announcer, first.Marshal()), NewAnnouncement(announcer, second.Marshal())
	if a.Hash == b.Hash || a.Hash == 0 || b.Hash == 0 {
		t.Errorf("%d and %d", a.Hash, b.Hash)
	}
	if again := NewAnnouncement(announcer, first.Marshal()); again.Hash != a.Hash {
		t.Errorf("the same description: %d and %d", a.Hash, again.Hash)
	}
}

func TestWhatOtherProgramsAnnounceIsRead(t *testing.T) {
	for name, packet := range map[string]string{
		"without a payload type":       "\x20\x00\x00\x01\xc0\xa8\x7a\x02v=0\r\no=- 1 1 IN IP4 192.168.122.2\r\n",
		"with authentication":          "\x20\x02\x00\x01\xc0\xa8\x7a\x0212345678application/sdp\x00v=0\r\n",
		"a deletion by its origin":     "\x24\x00\x00\x01\xc0\xa8\x7a\x02o=- 1 1 IN IP4 192.168.122.2\r\n",
		"with the reserved bit":        "\x28\x00\x00\x01\xc0\xa8\x7a\x02application/sdp\x00v=0\r\n",
		"an IPv4 address in IPv6":      "\x30\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\xa8\x7a\x02v=0\r\n",
		"o= first":                     "\x20\x00\x00\x01\xc0\xa8\x7a\x02o=- 1 1 IN IP4 192.168.122.2\r\nv=0\r\n",
		"m= first":                     "\x20\x00\x00\x01\xc0\xa8\x7a\x02m=audio 5004 RTP/AVP 10",
		"a byte order mark":            "\x20\x00\x00\x01\xc0\xa8\x7a\x02\xef\xbb\xbfv=0\r\n",
		"a type in capitals":           "\x20\x00\x00\x01\xc0\xa8\x7a\x02Application/SDP\x00v=0\r\n",
		"a type with a parameter":      "\x20\x00\x00\x01\xc0\xa8\x7a\x02application/sdp; charset=utf-8\x00v=0\r\n",
		"a deletion by its hash":       "\x24\x00\x00\x01\xc0\xa8\x7a\x02",
		"with nothing behind its type": "\x20\x00\x00\x01\xc0\xa8\x7a\x02application/sdp\x00",
	} {
		a, err := ParseAnnouncement([]byte(packet))
		if err != nil || a.Source != announcer || a.Hash != 1 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestAWrongAnnouncementIsRefusedAndSaysWhy(t *testing.T) {
	for packet, why := range map[string]string{
		"":             "too short",
		"\x20\x00\x00": "too short",
		"\x00\x00\x00\x01\xc0\xa8\x7a\x02v=0\r\n":               "SAP version 0: legal is 1",
		"\x60\x00\x00\x01\xc0\xa8\x7a\x02v=0\r\n":               "SAP version 3: legal is 1",
		"\x22\x00\x00\x01\xc0\xa8\x7a\x02v=0\r\n":               "encrypted",
		"\x21\x00\x00\x01\xc0\xa8\x7a\x02v=0\r\n":               "compressed",
		"\x20\x00\x00\x01\xc0\xa8":                              "ends within its header",
		"\x30\x00\x00\x01\xc0\xa8\x7a\x02v=0\r\n":               "ends within its header",
		"\x20\xff\x00\x01\xc0\xa8\x7a\x02v=0\r\n":               "ends within its header",
		"\x20\x00\x00\x01\xc0\xa8\x7a\x02text/plain\x00v=0\r\n": `payload type "text/plain"`,
		"\x20\x00\x00\x01\xc0\xa8\x7a\x02application/sdp":       "payload type",
		"\x20\x00\x00\x01\xc0\xa8\x7a\x02":                      "payload type",
		"\x20\x00\x00\x01\xc0\xa8\x7a\x02hello, v=0\r\n":        "payload type",
		strings.Repeat("v", MaxAnnouncementBytes+1):             "legal is up to 16896",
	} {
		if a, err := ParseAnnouncement([]byte(packet)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.40q: %+v, %v; want %q", packet, a, err, why)
		}
	}
}

func FuzzParseAnnouncement(f *testing.F) {
	f.Add(NewAnnouncement(announcer, host().Marshal()).Marshal())
	f.Add([]byte("\x24\x02\x00\x01\xc0\xa8\x7a\x0212345678o=- 1 1 IN IP4 192.168.122.2\r\n"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		a, err := ParseAnnouncement(packet)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n\x00\x1b") || len(err.Error()) > 200 {
				t.Errorf("%q is no line for a log", err)
			}
			return
		}
		again, err := ParseAnnouncement(a.Marshal())
		if err != nil || again.Source != a.Source || again.Delete != a.Delete || again.Hash != a.Hash {
			t.Errorf("%+v, then %+v, %v", a, again, err)
		}
		if len(again.SDP) != len(a.SDP) || !bytes.Equal(again.SDP, a.SDP) {
			t.Errorf("%q, then %q", a.SDP, again.SDP)
		}
	})
}

func TestAStreamIsAnnouncedInTheGroupsOfItsFamilyAndScope(t *testing.T) {
	for to, want := range map[string]string{
		"239.69.1.2":         "224.0.0.56 239.255.255.255 224.2.127.254 239.195.255.255",
		"::ffff:239.69.1.2":  "224.0.0.56 239.255.255.255 224.2.127.254 239.195.255.255",
		"192.168.122.1":      "224.0.0.56 239.255.255.255 224.2.127.254 239.195.255.255",
		"ff02::4713":         "ff02::2:7ffe",
		"ff15::4713":         "ff05::2:7ffe",
		"ff3e:20:fd47::4713": "ff0e::2:7ffe",
		"fd47::2":            "ff05::2:7ffe",
	} {
		var got []string
		for _, group := range SAPGroupsOf(netip.MustParseAddr(to)) {
			got = append(got, group.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", to, got, want)
		}
	}
	for _, group := range SAPGroups6 {
		if !group.IsMulticast() || group.IsInterfaceLocalMulticast() {
			t.Error(group)
		}
	}
}

func TestTheOriginIsNeverAGroup(t *testing.T) {
	for to, want := range map[string]string{"239.69.1.2": "IN IP4 0.0.0.0\r\n", "ff15::4713": "IN IP6 ::\r\n", "10.9.0.1": "IN IP4 10.9.0.1\r\n"} {
		d := Description{Address: netip.MustParseAddr(to), Port: 5004, Payloads: Payloads(L24), RateHz: 48000, SendChannels: 2}
		_, rest, _ := strings.Cut(string(d.Marshal()), "o=")
		if line, _, _ := strings.Cut(rest, "s="); !strings.HasSuffix(line, want) {
			t.Errorf("%s: o=%q, want %q", to, line, want)
		}
	}
}

package proto

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// stream is the plain multicast stream of an end.
func stream() Description {
	return Description{
		Name: "lab", Revision: 3,
		Address: netip.MustParseAddr("239.69.1.2"), TTL: 8, Port: 5004,
		Origin: netip.MustParseAddr("192.168.122.2"), Source: netip.MustParseAddr("192.168.122.2"),
		Payloads: Payloads(L24), RateHz: 48000, SendChannels: 2, PacketFrames: 48,
		SSRC: 12345, CNAME: "archibald-guest",
	}
}

func TestAStreamAsText(t *testing.T) {
	want := strings.ReplaceAll(`v=0
o=- 12345 3 IN IP4 192.168.122.2
s=lab
c=IN IP4 239.69.1.2/8
t=0 0
m=audio 5004 RTP/AVP 97
a=rtpmap:97 L24/48000/2
a=ptime:1.000
a=framecount:48
a=recvonly
a=fmtp:97 channel-order=SMPTE2110.(ST)
a=source-filter: incl IN IP4 239.69.1.2 192.168.122.2
a=ts-refclk:local
a=mediaclk:sender
`, "\n", "\r\n")
	if got := string(stream().Marshal()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestChannelsAreNamedByTheirNumber(t *testing.T) {
	for channels, want := range map[int]string{1: "(M)", 2: "(ST)", 3: "(U03)", 6: "(51)", 8: "(U08)", 15: "(U15)", 64: "(U64)"} {
		d := stream()
		d.SendChannels = channels
		if text := string(d.Marshal()); !strings.Contains(text, "channel-order=SMPTE2110."+want+"\r\n") {
			t.Errorf("%d channels, want %s:\n%s", channels, want, text)
		}
		d.OwnOrder = true // positions of the user's choice are nobody's convention
		if text := string(d.Marshal()); !strings.Contains(text, fmt.Sprintf("channel-order=SMPTE2110.(U%02d)\r\n", channels)) {
			t.Errorf("%d channels in an order of their own:\n%s", channels, text)
		}
	}
}

func TestSourceFiltersAreReadTolerantly(t *testing.T) {
	none := netip.Addr{}
	source := netip.MustParseAddr("192.168.122.2")
	for line, want := range map[string]netip.Addr{
		" incl IN IP4 239.69.1.2 192.168.122.2":             source,
		"incl IN IP4 239.69.1.2 192.168.122.2":              source,
		" incl IN IP4 * 192.168.122.2":                      source,
		"\tINCL in ip4 239.69.1.2/8  192.168.122.2":         source,
		" incl IN IP4 239.69.1.2 192.168.122.2 192.168.9.9": source,
		" incl IN IP4 239.69.1.3 192.168.122.2":             none, // another group's
		" excl IN IP4 239.69.1.2 192.168.122.2":             none,
		" incl IN IP4 239.69.1.2 studio.example.org":        none,
		" incl IN IP4 239.69.1.2 239.69.1.2":                none,
		" incl IN IP4 239.69.1.2":                           none,
		"":                                                  none,
	} {
		text := strings.Replace(string(stream().Marshal()), " incl IN IP4 239.69.1.2 192.168.122.2", line, 1)
		if d := mustParse(t, []byte(text)); d.Source != want {
			t.Errorf("%q: %v", line, d.Source)
		}
	}
}

func TestASourceFilterIsOfItsGroupHoweverThatIsWritten(t *testing.T) {
	for _, group := range []string{"ff15::7", "FF15::7", "ff15:0:0::0007"} {
		text := "c=IN IP6 FF15::7\nm=audio 5004 RTP/AVP 10\na=source-filter: incl IN IP6 " + group + " 2001:DB8::1\n"
		if d := mustParse(t, []byte(text)); d.Source != netip.MustParseAddr("2001:db8::1") {
			t.Errorf("%s: %v", group, d.Source)
		}
	}
}

func TestWhatIsMeantAsAnAddressAndIsNoneIsRefused(t *testing.T) {
	// Without an address there would be silence: nobody would join the group.
	for _, address := range []string{"239.069.001.007", "239.69.1.256", "239.69.1", "239.69.1.7.1/32", "ff15:::7", "239.69.1.7:5004", "[ff15::7]"} {
		for _, text := range []string{
			"c=IN IP4 " + address + "\nm=audio 5004 RTP/AVP 10\n",
			"c=IN IP4 239.69.1.8\nm=audio 5004 RTP/AVP 10\nc=IN IP4 " + address + "\n",
		} {
			_, err := ParseDescription([]byte(text))
			line := strings.Count(text[:strings.LastIndex(text, address)], "\n") + 1
			if field := new(FieldError); !errors.As(err, &field) || field.Line != line || field.Field != "address" {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
	// A name is legal. It is of a unicast stream, which is awaited at the port.
	if d := mustParse(t, []byte("c=IN IP4 7.studio.example.org\nm=audio 5004 RTP/AVP 10\n")); d.Address.IsValid() {
		t.Error(d.Address)
	}
}

func TestTheTTLOfAGroupIsRead(t *testing.T) {
	for line, want := range map[string]int{
		"239.69.1.2/8": 8, "239.69.1.2/255": 255, "239.69.1.2/32/4": 32,
		"239.69.1.2": 1, "239.69.1.2/": 1, "239.69.1.2/0": 1, "239.69.1.2/256": 1, "239.69.1.2/x": 1,
		"192.168.122.1": 0, "ff3e::8000:1": 0,
	} {
		family := "IP4 "
		if strings.Contains(line, ":") {
			family = "IP6 "
		}
		text := strings.Replace(string(stream().Marshal()), "c=IN IP4 239.69.1.2/8", "c=IN "+family+line, 1)
		if d := mustParse(t, []byte(text)); d.TTL != want || !d.Address.IsValid() {
			t.Errorf("%q: address %v, TTL %d, want %d", line, d.Address, d.TTL, want)
		}
	}
}

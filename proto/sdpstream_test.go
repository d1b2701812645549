package proto

import (
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

package config

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"archibald-bridge/proto"
)

const streamSDP = `v=0
o=- 1 1 IN IP4 192.168.1.9
s=desk
c=IN IP4 239.69.1.2/8
t=0 0
m=audio 5004 RTP/AVP 127
a=rtpmap:127 L24/44100/4
a=ptime:1
a=recvonly
a=source-filter: incl IN IP4 239.69.1.2 192.168.1.9
`

// incoming loads a configuration in the same folder as an SDP file desk.sdp.
func incoming(t *testing.T, sdp, text string) (Config, error) {
	t.Helper()
	path := write(t, "sdp-in = 'desk.sdp'\n"+text)
	if err := os.WriteFile("desk.sdp", []byte(sdp), 0o600); err != nil {
		t.Fatal(err)
	}
	return Source{File: path, ConnectRule: arrowRule}.Load(proto.Host)
}

func TestAnSDPFileDecidesWhatIsReceived(t *testing.T) {
	c, err := incoming(t, streamSDP, "")
	if err != nil {
		t.Fatal(err)
	}
	if !c.Static || c.Rate != 44100 || c.ReceiveChannels != 4 || c.Listen.AddrPort != netip.MustParseAddrPort("0.0.0.0:5004") {
		t.Errorf("static %v, rate %d, receives %d channels, listens on %v", c.Static, c.Rate, c.ReceiveChannels, c.Listen)
	}
	group, source := c.Group()
	if group != netip.MustParseAddr("239.69.1.2") || source != netip.MustParseAddr("192.168.1.9") {
		t.Errorf("group %v, source %v", group, source)
	}
	if p := c.Incoming.Payloads[0]; p.Type != 127 || p.Encoding != proto.L24 {
		t.Errorf("payload %+v", p)
	}
}

func TestWithAPeerSoundIsSentInTheFormatThatComes(t *testing.T) {
	c, err := incoming(t, streamSDP, "peer = '192.168.1.9:5006'")
	if err != nil || c.Format != proto.L24 || c.SendChannels != 2 {
		t.Errorf("format %q, sends %d channels, %v", c.Format, c.SendChannels, err)
	}
}

func TestWithoutAnSDPFileThereIsNoGroup(t *testing.T) {
	if group, source := Default(proto.Guest).Group(); group.IsValid() || source.IsValid() {
		t.Errorf("%v, %v", group, source)
	}
}

func TestAnSDPFileOfASenderThatSaysSoIsTaken(t *testing.T) {
	for _, direction := range []string{"a=sendonly", "a=sendrecv", ""} {
		c, err := incoming(t, strings.Replace(streamSDP, "a=recvonly", direction, 1), "")
		if err != nil || c.ReceiveChannels != 4 {
			t.Errorf("%q: receives %d channels, %v", direction, c.ReceiveChannels, err)
		}
	}
}

// offer is an offer of an end of ours, which describes a stream, too.
func offer(send, receive int) string {
	return string(proto.Description{
		Version: proto.Version, Role: proto.Guest, Port: 4713, Payloads: proto.Payloads(proto.L24), RateHz: 48000,
		SendChannels: send, ReceiveChannels: receive, SSRC: 1,
	}.Marshal())
}

func TestAnSDPFileThatCannotServeIsRefusedAndSaysWhy(t *testing.T) {
	with := func(from, to string) string { return strings.Replace(streamSDP, from, to, 1) }
	for _, test := range []struct{ sdp, text, why string }{
		{"hello", "", "not a session description (SDP, RFC 8866): line 1 is none of it"},
		{with("L24", "speex"), "", `encoding "speex": legal is L16, L24, F32, opus`},
		{with("44100/4", "44100/65"), "", `SDP line 7: rtpmap channels "65": legal is 1 to 64`},
		{with("recvonly", "inactive"), "", `SDP line 9: direction "inactive"`},
		{offer(0, 2), "", "it describes nothing that is sent"},
		{offer(65, 2), "", "it has 65 channels: legal are 1 to 64"},
		{strings.ReplaceAll(streamSDP, "127", "72"), "", "SDP line 7: payload type 72 cannot be told from RTCP"},
		{streamSDP, "rate = 48000", "it runs at 44100 Hz, rate asks for 48000"},
		{streamSDP, "listen = '0.0.0.0:4713'", "it comes to port 5004, listen has 4713"},
		{streamSDP, "listen = '[fd00::2]:5004'", "its group 239.69.1.2 cannot be received on fd00::2"},
	} {
		_, err := incoming(t, test.sdp, test.text)
		if err == nil || !strings.Contains(err.Error(), `bridge.toml:1: sdp-in: "desk.sdp": legal is`) || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%v, want %q", err, test.why)
		}
	}
}

func TestAMissingSDPFileIsNamed(t *testing.T) {
	_, err := load(t, proto.Guest, "sdp-in = 'absent.sdp'")
	if err == nil || !strings.Contains(err.Error(), `"absent.sdp"`) || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}

func TestAnSDPFileWithoutAnEndIsRefused(t *testing.T) {
	_, err := load(t, proto.Guest, "sdp-in = '/dev/zero'")
	if err == nil || !strings.Contains(err.Error(), "legal is up to 16384") {
		t.Error(err)
	}
}

func TestListenFollowsAStreamOfIPv6UnlessItIsGiven(t *testing.T) {
	for _, address := range []string{"ff15::7", "2001:db8::7"} {
		sdp := "c=IN IP6 " + address + "\nm=audio 5004 RTP/AVP 10\n"
		c, err := incoming(t, sdp, "")
		if err != nil || c.Listen.String() != "[::]:5004" {
			t.Errorf("%s: listens on %s, %v", address, c.Listen, err)
		}
	}
	_, err := incoming(t, "c=IN IP6 ff15::7\nm=audio 5004 RTP/AVP 10\n", "listen = '0.0.0.0:5004'")
	if err == nil || !strings.Contains(err.Error(), "its group ff15::7 cannot be received on 0.0.0.0") {
		t.Error(err)
	}
}

func TestAnnouncedStreamsOfBothFamiliesAreReceivedWhereTheNetworksHaveBoth(t *testing.T) {
	for text, legal := range map[string]string{
		"":                          "239.69.1.2",
		"sap-networks = 'ff00::/8'": "239.69.1.2 ff15::7",
		"listen = '[::]:4713'":      "239.69.1.2 ff15::7",
		"listen = '[fd00::2]:4713'": "ff15::7",
		"listen = '0.0.0.0:4713'\nsap-networks = '239.0.0.0/8, ff00::/8'": "239.69.1.2",
	} {
		c, err := load(t, proto.Guest, "sap-receive = 'desk'\n"+text)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range []string{"239.69.1.2", "ff15::7"} {
			d, err := proto.ParseDescription([]byte("c=IN IP4 " + group + "\nm=audio 5004 RTP/AVP 10\n"))
			if err != nil {
				t.Fatal(err)
			}
			next, err := c.Receiving(d)
			if (err == nil) != strings.Contains(legal, group) || err == nil && next.MediaListen() != netip.AddrPortFrom(netip.MustParseAddr(group), 5004) {
				t.Errorf("%s, %q: receives at %v, %v", group, text, next.MediaListen(), err)
			}
		}
	}
}

func TestKeysOfAPlainStreamNeedOne(t *testing.T) {
	for _, text := range []string{"sdp-out = 'out.sdp'", "ptime = '1ms'", "multicast-ttl = 0", "multicast-ttl = 256", "multicast-interface = 'eth 0'"} {
		if _, err := load(t, proto.Guest, text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	const plain = "static = true\npeer = '239.69.1.2:5004'\nformat = 'L24'\n"
	for _, text := range []string{"sdp-out = 'out.sdp'", "ptime = '1ms'", "ptime = '125us'", "multicast-ttl = 255", "multicast-interface = 'br0'"} {
		if _, err := load(t, proto.Guest, plain+text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"ptime = '99us'", "ptime = '21ms'"} {
		if _, err := load(t, proto.Guest, plain+text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

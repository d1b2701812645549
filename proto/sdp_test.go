package proto

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

// guest and host are a usual pair of ends.
func guest() Description {
	return Description{
		Name: "lab", Role: Guest, Version: Version, Revision: 7,
		Address: netip.MustParseAddr("192.168.122.2"), Port: Port,
		Payloads: Payloads(F32, L24, L16), RateHz: 48000,
		SendChannels: 2, ReceiveChannels: 2, PacketFrames: 32, PeriodFrames: 32, Terms: Terms{SendDelay: true},
		SSRC: SSRC("lab", Guest), CNAME: "lab@guest", RTCPMux: true,
	}
}

func host() Description {
	d := guest()
	d.Role, d.SSRC, d.CNAME = Host, SSRC("lab", Host), "lab@host"
	d.Address = netip.MustParseAddr("192.168.122.1")
	d.PacketFrames, d.PeriodFrames = 64, 64
	return d
}

func mustParse(t *testing.T, text []byte) Description {
	t.Helper()
	d, err := ParseDescription(text)
	if err != nil {
		t.Fatalf("ParseDescription: %v\n%s", err, text)
	}
	return d
}

func TestOfferAsText(t *testing.T) {
	offer := guest()
	offer.SendChannels = 4
	offer.SSRC = 12345
	offer.Redundancy = Redundancy{Copies: 1, Distance: 2}
	want := strings.ReplaceAll(`v=0
o=- 12345 7 IN IP4 192.168.122.2
s=lab
c=IN IP4 192.168.122.2
t=0 0
a=x-archibald-version:1
a=x-archibald-role:guest
m=audio 4713 RTP/AVP 98 97 96
a=rtpmap:98 F32/48000/4
a=rtpmap:97 L24/48000/4
a=rtpmap:96 L16/48000/4
a=ptime:0.667
a=framecount:32
a=sendrecv
a=x-archibald-channels:send=4 receive=2
a=x-archibald-redundancy:1 distance=2 period=32
a=extmap:1 urn:x-archibald:lateness
a=rtcp-mux
a=ssrc:12345 cname:lab@guest
`, "\n", "\r\n")
	if got := string(offer.Marshal()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSDPOfOtherProgramsIsRead(t *testing.T) {
	for file, want := range map[string]Description{
		"ffmpeg.sdp": {
			Name: "No Name", Address: netip.MustParseAddr("192.168.122.2"), Port: 5004,
			Payloads: []Payload{{97, L24}}, RateHz: 48000, SendChannels: 2,
		},
		"gstreamer.sdp": {
			Name: "Session streamed with GStreamer", Revision: 1,
			Address: netip.MustParseAddr("192.168.122.2"), Port: 4713,
			Payloads: []Payload{{96, L16}}, RateHz: 48000, SendChannels: 2,
			PacketFrames: 48, SSRC: 2936419172, CNAME: "user3214@host-9d",
		},
		"pipewire.sdp": { // it announces what it sends with recvonly
			Name: "desk", Address: netip.MustParseAddr("239.255.77.8"), TTL: 1, Port: 46364,
			Payloads: []Payload{{127, L24}}, RateHz: 48000, SendChannels: 2, PacketFrames: 32,
		},
		"aes67.sdp": { // the media's own c= line wins, and framecount over a rounded ptime
			Name: "Stage box 1-8", Address: netip.MustParseAddr("239.1.15.53"), TTL: 15, Port: 5004,
			Source:   netip.MustParseAddr("192.168.15.52"),
			Payloads: []Payload{{98, L24}}, RateHz: 48000, SendChannels: 8, PacketFrames: 6,
		},
		"static-types.sdp": { // no name, a video line first, types 10 and 11 without rtpmap, sendonly
			Revision: 2890844526, Address: netip.MustParseAddr("2001:db8::2"), Port: 49170,
			Payloads: []Payload{{10, L16}}, RateHz: 44100, SendChannels: 2,
		},
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "sdp", file))
			if err != nil {
				t.Fatal(err)
			}
			if got := mustParse(t, text); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			crlf := bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
			if got := mustParse(t, crlf); !reflect.DeepEqual(got, want) {
				t.Errorf("with CRLF: got %+v", got)
			}
		})
	}
}

func randomDescription(r *rand.Rand) Description {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	rates := []int{8000, 11025, 44100, 48000, 88200, 96000, 192000}
	d := Description{
		Name:     pick("", "lab", "Ton-Studio 3", "日本語の名前", strings.Repeat("x", 64)),
		Revision: r.Uint64(),
		Port:     1 + r.IntN(65535),
		RateHz:   rates[r.IntN(len(rates))],
		RTCPMux:  r.IntN(2) == 0,
	}
	if r.IntN(4) > 0 {
		d.Version, d.Role = Version, Role(pick("guest", "host"))
		d.SendChannels, d.ReceiveChannels = r.IntN(65), r.IntN(65)
		d.SendDelay, d.AnyRate = r.IntN(2) == 0, r.IntN(2) == 0
		if r.IntN(3) > 0 {
			d.PeriodFrames = 1 + r.IntN(8192)
			d.Redundancy = Redundancy{r.IntN(3), r.IntN(9)}
		}
		if r.IntN(3) > 0 {
			d.Clock = ClockWish(pick("auto", "free", "lead", "follow"))
			d.Follows = Follows(pick("", "any", "own"))
		}
	} else { // a plain stream is sent
		d.SendChannels = 1 + r.IntN(64)
	}
	if d.SendChannels+d.ReceiveChannels == 0 {
		d.SendChannels = 1
	}
	d.Payloads = Payloads(Encodings...)
	r.Shuffle(len(d.Payloads), func(i, j int) { d.Payloads[i], d.Payloads[j] = d.Payloads[j], d.Payloads[i] })
	d.Payloads = d.Payloads[:1+r.IntN(len(d.Payloads))]
	if r.IntN(4) > 0 {
		low := (d.RateHz + 199999) / 200000 // 0.005 ms
		d.PacketFrames = low + r.IntN(d.RateHz/10-low+1)
	}
	if d.Version != 0 && r.IntN(4) > 0 {
		d.SSRC = 1 + r.Uint32N(1<<32-1)
		d.CNAME = pick("", "lab@guest", "a:b/c")
	}
	if a := pick("", "10.0.2.15", "2001:db8::7"); a != "" {
		d.Address = netip.MustParseAddr(a)
	}
	if d.Version == 0 && r.IntN(2) == 0 {
		d.Address = netip.MustParseAddr(pick("239.69.1.2", "ff3e::8000:1"))
		if d.Address.Is4() {
			d.TTL = 1 + r.IntN(255)
			d.Source = netip.MustParseAddr("10.0.2.15")
		} else {
			d.Source = netip.MustParseAddr("2001:db8::7")
		}
	}
	return d
}

func TestWhatIsWrittenKeepsToTheGrammar(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		text := randomDescription(r).Marshal()
		var strict sdp.SessionDescription
		if err := strict.Unmarshal(text); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
}

func TestDescriptionSurvivesTheTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		want := randomDescription(r)
		if got := mustParse(t, want.Marshal()); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v\n%s", got, want, want.Marshal())
		} else if !bytes.Equal(got.Marshal(), want.Marshal()) {
			t.Fatalf("not the same bytes:\n%s\n%s", got.Marshal(), want.Marshal())
		}
	}
}

func TestPtimeOfThreeDecimalsGivesTheFramesBack(t *testing.T) {
	for _, rate := range []int{8000, 22050, 44100, 48000, 96000, 192000} {
		for frames := (rate + 9999) / 10000; frames <= rate/10; frames++ {
			d := guest()
			d.RateHz, d.PacketFrames = rate, frames
			var ptimeOnly []string
			for line := range strings.Lines(string(d.Marshal())) {
				if !strings.HasPrefix(line, "a=framecount") {
					ptimeOnly = append(ptimeOnly, line)
				}
			}
			if rate > 48000 && frames%7 != 0 {
				continue // every seventh is enough of the long lists
			}
			got := mustParse(t, []byte(strings.Join(ptimeOnly, "")))
			if got.PacketFrames != frames {
				t.Fatalf("%d frames at %d Hz came back as %d", frames, rate, got.PacketFrames)
			}
		}
	}
}

func TestNumbersOutOfBoundsAreNamed(t *testing.T) {
	valid := string(guest().Marshal())
	for _, c := range []struct{ from, to, want string }{
		{"F32/48000/2", "F32/7999/2", `rtpmap rate "7999": legal is 8000 to 192000 Hz`},
		{"F32/48000/2", "F32/192001/2", `rtpmap rate "192001": legal is 8000 to 192000 Hz`},
		{"F32/48000/2", "F32", `rtpmap rate "": legal is 8000 to 192000 Hz`},
		{"F32/48000/2", "F32/48000/0", `rtpmap channels "0": legal is 1 to 256`},
		{"F32/48000/2", "F32/48000/257", `rtpmap channels "257": legal is 1 to 256`},
		{"F32/48000/2", "F32/48000/two", `rtpmap channels "two": legal is 1 to 256`},
		{"m=audio 4713", "m=audio 0", `m=audio port "0": legal is 1 to 65535`},
		{"m=audio 4713", "m=audio 70000", `m=audio port "70000": legal is 1 to 65535`},
		{"m=audio 4713", "m=audio -1", `m=audio port "-1": legal is 1 to 65535`},
		{"ptime:0.667", "ptime:0.004", `ptime "0.004": legal is 0.005 to 100 ms`},
		{"ptime:0.667", "ptime:100.1", `ptime "100.1": legal is 0.005 to 100 ms`},
		{"ptime:0.667", "ptime:NaN", `ptime "NaN": legal is 0.005 to 100 ms`},
		{"ptime:0.667", "ptime:Inf", `ptime "Inf": legal is 0.005 to 100 ms`},
		{"framecount:32", "framecount:0", `framecount "0": legal is 1 to 4800 frames`},
		{"framecount:32", "framecount:4801", `framecount "4801": legal is 1 to 4800 frames`},
		{"send=2", "send=257", `x-archibald-channels send "257": legal is 0 to 256`},
		{"receive=2", "receive=-1", `x-archibald-channels receive "-1": legal is 0 to 256`},
		{"send=2 receive=2", "send=0 receive=0", `direction "inactive": legal is sendrecv, sendonly, recvonly`},
		{"a=sendrecv", "a=inactive", `direction "inactive": legal is sendrecv, sendonly, recvonly`},
		{"a=ssrc:", "a=ssrc:4294967296 ", `ssrc "4294967296": legal is 0 to 4294967295`},
		{"a=ssrc:", "a=ssrc:x", fmt.Sprintf(`ssrc "x%d": legal is 0 to 4294967295`, guest().SSRC)},
		{"RTP/AVP 98", "RTP/AVP 128", ""},
		{"F32/48000", "speex/48000", ""},
		{"role:guest", "role:server", `x-archibald-role "server": legal is guest, host`},
		{"role:guest", "role:" + strings.Repeat("z", 500), `x-archibald-role "` + strings.Repeat("z", 32) + `": legal is guest, host`},
		{"version:1\r", "version:one\r", `x-archibald-version "one": legal is 1 to 1048576`},
	} {
		text := strings.Replace(valid, c.from, c.to, 1)
		if text == valid {
			t.Fatalf("%q is not in\n%s", c.from, valid)
		}
		line := 1 + strings.Count(valid[:strings.Index(valid, c.from)], "\n")
		_, err := ParseDescription([]byte(text))
		if c.want == "" { // type 128 has no rtpmap, and Speex nobody knows: the next one is taken
			if err != nil {
				t.Errorf("%s: %v", c.to, err)
			}
			continue
		}
		var field *FieldError
		if !errors.As(err, &field) {
			t.Errorf("%s: got %v, not a FieldError", c.to, err)
		} else if want := fmt.Sprintf("SDP line %d: %s", line, c.want); err.Error() != want {
			t.Errorf("%s: got  %v\nwant %s", c.to, err, want)
		}
	}
}

func TestGuestOnItsHostsClockSaysSo(t *testing.T) {
	for attribute, want := range map[string]bool{
		"a=x-archibald-clock:kvm\r\n": true, "a=x-archibald-clock:gps\r\n": false, "a=x-archibald-clock\r\n": false, "": false,
	} {
		text := strings.Replace(string(guest().Marshal()), "a=x-archibald-role", attribute+"a=x-archibald-role", 1)
		d, err := ParseDescription([]byte(text))
		if err != nil || d.OnHostClock != want {
			t.Errorf("%q: %v, %v", attribute, d.OnHostClock, err)
		}
		if written := strings.Contains(string(d.Marshal()), "x-archibald-clock:kvm"); written != want {
			t.Errorf("%q: written %v", attribute, written)
		}
		_, agreement, err := Answer(d, host())
		if err != nil || agreement.PeerOnHostClock != want {
			t.Errorf("%q: agreed %v, %v", attribute, agreement.PeerOnHostClock, err)
		}
	}
}

func TestOtherProtocolVersionNamesBoth(t *testing.T) {
	text := bytes.Replace(guest().Marshal(), []byte("version:1"), []byte("version:2"), 1)
	_, err := ParseDescription(text)
	var version *VersionError
	if !errors.As(err, &version) || version.Peer != 2 || version.Ours != 1 {
		t.Fatalf("got %v", err)
	}
	want := "protocol version: one end speaks version 2, the other version 1: install the same release at both ends"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
}

func TestOtherVersionIsToldBeforeAnythingElse(t *testing.T) {
	// What a later version means by its other lines is not ours to judge.
	text := strings.NewReplacer("version:1", "version:9", "role:guest", "role:relay", "F32/48000", "F64/384000").
		Replace(string(guest().Marshal()))
	_, err := ParseDescription([]byte(text))
	if version := new(VersionError); !errors.As(err, &version) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotADescriptionOfOurs(t *testing.T) {
	valid := string(guest().Marshal())
	head, _, _ := strings.Cut(valid, "m=")
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "SDP has no m=audio"},
		"binary":            {"\x80\x61\x00\x01", "not a session description"},
		"HTML":              {"<html><body>hello</body></html>", "not a session description"},
		"no media":          {head, "SDP has no m=audio line of RTP/AVP with an rtpmap"},
		"only video":        {head + "m=video 5004 RTP/AVP 96\r\na=rtpmap:96 L24/48000/2\r\n", "SDP has no m=audio"},
		"only SRTP":         {head + "m=audio 5004 RTP/SAVP 97\r\na=rtpmap:97 L24/48000/2\r\n", "SDP has no m=audio"},
		"only Speex":        {head + "m=audio 5004 RTP/AVP 110\r\na=rtpmap:110 speex/16000\r\n", `SDP line 9: encoding "speex": legal is L16, L24, F32, opus`},
		"Opus at 44.1 kHz":  {head + "m=audio 5004 RTP/AVP 111\r\na=rtpmap:111 opus/44100/2\r\n", `SDP line 9: rtpmap of opus "44100/2": legal is 48000/2 (RFC 7587)`},
		"a text":            {"dear all,\nthe stream is at 239.69.1.7:5004\n", "not a session description"},
		"no rtpmap":         {head + "m=audio 5004 RTP/AVP 97\r\n", "SDP has no m=audio"},
		"one byte too many": {valid + "a=" + strings.Repeat("x", MaxDescriptionBytes-len(valid)-1), "SDP of 16385 bytes: legal is up to 16384"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseDescription([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			} else if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("error of more than one line: %q", err)
			}
		})
	}
}

func TestUnknownIsPassedOver(t *testing.T) {
	text := string(guest().Marshal())
	for _, line := range []string{
		"a=fmtp:97 channel-order=SMPTE2110.(ST)", "a=extmap:1 urn:x", "a=x-later:whatever",
		"a=rtpmap:111 opus/48000/2", "a=rtpmap:", "a=rtpmap:98", "a=", "a=:", "b=AS:2304",
		"a=x-archibald-auth:nonce=00", "no line", "=", "x=", "k=clear:1", "é=1",
	} {
		got := mustParse(t, []byte(text+line+"\r\n"))
		if !reflect.DeepEqual(got, guest()) {
			t.Errorf("%q changed the description to %+v", line, got)
		}
	}
}

func TestNamesCannotBreakOut(t *testing.T) {
	d := guest()
	d.Name = "lab\r\na=x-archibald-role:host\x1b[31m\x00" + strings.Repeat("é", 100)
	d.CNAME = "x\r\na=evil y"
	got := mustParse(t, d.Marshal())
	if got.Role != Guest || strings.ContainsAny(got.Name, "\r\n\x1b\x00") || len(got.Name) > 64 {
		t.Errorf("name %q, role %q", got.Name, got.Role)
	}
	if got.CNAME != "xa=evily" {
		t.Errorf("CNAME %q", got.CNAME)
	}
	if !strings.HasSuffix(got.Name, "é") {
		t.Errorf("name %q was cut inside a character", got.Name)
	}
}

func TestMissingChannelsAttributeMeansBothAsTheRtpmap(t *testing.T) {
	text := strings.Replace(string(guest().Marshal()), "a=x-archibald-channels:send=2 receive=2\r\n", "", 1)
	d := mustParse(t, []byte(strings.ReplaceAll(text, "48000/2", "48000/6")))
	if d.SendChannels != 6 || d.ReceiveChannels != 6 {
		t.Errorf("send %d, receive %d", d.SendChannels, d.ReceiveChannels)
	}
}

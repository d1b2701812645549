package proto

import (
	"net/netip"
	"strings"
	"testing"
)

func opusGuest(send, receive int) Description {
	d := guest()
	d.Payloads = Payloads(Opus)
	d.SendChannels, d.ReceiveChannels, d.PacketFrames, d.MaxBitrate = send, receive, 120, 96000
	return d
}

func TestOpusIsWrittenAsRFC7587Says(t *testing.T) {
	plain := Description{
		Name: "a", Address: netip.MustParseAddr("192.0.2.1"), Port: 5004, Payloads: Payloads(Opus), RateHz: 48000,
		SendChannels: 1, PacketFrames: 480, MaxBitrate: 64000,
	}
	for _, c := range []struct {
		name string
		d    Description
		want string
	}{
		{"stereo", opusGuest(2, 2), "a=fmtp:111 stereo=1;sprop-stereo=1;maxaveragebitrate=96000\r\na=ptime:2.500\r\n"},
		{"sends mono", opusGuest(1, 2), "a=fmtp:111 stereo=1;sprop-stereo=0;maxaveragebitrate=96000\r\n"},
		{"receives mono only", opusGuest(0, 1), "a=fmtp:111 stereo=0;maxaveragebitrate=96000\r\n"},
		{"plain", plain, "a=fmtp:111 stereo=0;sprop-stereo=0;maxaveragebitrate=64000\r\na=ptime:10.000\r\n"},
	} {
		text := string(c.d.Marshal())
		for _, line := range []string{"a=rtpmap:111 opus/48000/2\r\n", c.want} {
			if !strings.Contains(text, line) {
				t.Errorf("%s: no %q in\n%s", c.name, line, text)
			}
		}
		if strings.Contains(text, "channel-order") {
			t.Errorf("%s: it has a channel order of ST 2110\n%s", c.name, text)
		}
		again := mustParse(t, []byte(text))
		if again.SendChannels != c.d.SendChannels || again.ReceiveChannels != c.d.ReceiveChannels && c.d.Version != 0 ||
			again.MaxBitrate != c.d.MaxBitrate || again.PacketFrames != c.d.PacketFrames {
			t.Errorf("%s: read back as %+v", c.name, again)
		}
	}
}

func TestTheOpusOfOthersIsRead(t *testing.T) {
	head := "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\n"
	for _, c := range []struct {
		name, lines string
		channels    int
	}{
		{"ffmpeg, stereo", "b=AS:128\r\na=rtpmap:97 opus/48000/2\r\na=fmtp:97 sprop-stereo=1\r\n", 2},
		{"ffmpeg, mono", "a=rtpmap:97 opus/48000/2\r\n", 2},
		{"GStreamer", "a=rtpmap:97 OPUS/48000/2\r\na=fmtp:97 sprop-maxcapturerate=48000;sprop-stereo=0\r\n", 1},
		{"spaces", "a=rtpmap:97 opus/48000/2\r\na=fmtp:97 useinbandfec=1; Sprop-Stereo=0 ; cbr=1\r\n", 1},
	} {
		d := mustParse(t, []byte(head+c.lines))
		if d.Payloads[0] != (Payload{97, Opus}) || d.RateHz != 48000 || d.SendChannels != c.channels {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

func TestOpusIsAgreedWhereBothAskForIt(t *testing.T) {
	a, b := opusGuest(2, 1), host()
	if _, _, err := Answer(a, b); err == nil || !strings.Contains(err.Error(), "no common format: the guest offers opus (payload type 111), the host has") {
		t.Errorf("%v", err)
	}
	b.Payloads, b.MaxBitrate, b.PacketFrames = Payloads(Opus), 32000, 960
	answer, agreed, err := Answer(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if agreed.Send != (Format{Opus, 48000, 1}) || agreed.Receive != (Format{Opus, 48000, 2}) || agreed.PeerMaxBitrate != 96000 || agreed.PeerPacketFrames != 120 {
		t.Errorf("the answerer: %+v", agreed)
	}
	accepted, err := Accept(a, mustParse(t, answer.Marshal()))
	if err != nil {
		t.Fatal(err)
	}
	if accepted.Send != agreed.Receive || accepted.Receive != agreed.Send || accepted.PeerMaxBitrate != 32000 || accepted.PeerPacketFrames != 960 {
		t.Errorf("the caller: %+v", accepted)
	}
}

package field

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/gate"
	"archibald-bridge/testbed/probe"
	"archibald-bridge/testbed/signal"
	"archibald-bridge/testbed/stack"
)

func TestTwoStreamsOfOneNameDoNotTakeTurns(t *testing.T) {
	f := newMachines(t)
	ends := map[string]*stack.Process{
		"receiver": f.start(f.ours, "receiver", "guest", "--name", "sap", "--sap-receive", "archibald-guest"),
	}
	ends["239.69.47.1:5004"] = f.sends("sender-1", "239.69.47.1:5004", "--sap-announce")
	another, err := f.theirs.StartJackd("field-another", periodFrames, rateHz) // which has no client of that name
	f.must(err)
	f.there = another
	ends["239.69.47.2:5004"] = f.sends("sender-2", "239.69.47.2:5004", "--sap-announce")
	f.until("a warning", ends, func() bool { return f.said(ends["receiver"], "two streams are announced under one name") == 1 })
	time.Sleep(gate.Soak(6*time.Second, time.Minute)) // each is announced again, in make soak some times
	for text, want := range map[string]int{"audio server open": 1, "stream announced": 1, "two streams are announced": 1} {
		if n := f.said(ends["receiver"], text); n != want {
			t.Errorf("%q %d times, want %d:\n%s", text, n, want, ends["receiver"].LogTail())
		}
	}
	received := "239.69.47.1:5004"
	if f.said(ends["receiver"], "group=239.69.47.2") == 1 {
		received = "239.69.47.2:5004"
	}
	ends[received].Stop() // with a deletion
	f.until("the other stream", ends, func() bool { return f.said(ends["receiver"], "stream announced") == 2 })
	f.until("its sound", ends, f.sounds(ends["receiver"]))
}

func TestAnAnnouncementInTheStandardsOwnGroupIsHeard(t *testing.T) {
	f := newMachines(t)
	receiver := f.start(f.ours, "receiver", "guest", "--name", "sap", "--sap-receive", "desk")
	ends := map[string]*stack.Process{"receiver": receiver}
	f.until("status page", ends, func() bool {
		return f.state(f.ours, receiver).Session.LastError == "waiting for the announcement of desk"
	})
	sender, err := f.theirs.Start("ffmpeg", nil, "ffmpeg", strings.Fields(
		"-nostdin -hide_banner -loglevel warning -re -f lavfi -i sine=frequency=440:sample_rate=48000 -ac 2 -c:a pcm_s16be -metadata title=desk -f sap sap://239.69.47.7:5004")...)
	if err != nil {
		t.Fatal(err)
	}
	ends["ffmpeg"] = sender
	f.until("sound", ends, f.sounds(receiver))
	sender.Stop()

	// The other way: it takes the first stream that is announced there.
	ends["ours"] = f.sends("ours", "239.69.47.8:5004", "--sap-announce")
	heard := f.path("heard.raw")
	listener, err := f.theirs.Start("listener", nil, "ffmpeg", strings.Fields(
		"-nostdin -hide_banner -loglevel warning -y -protocol_whitelist sap,udp,rtp -i sap:// -t 1 -c copy -f s24be "+heard)...)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := listener.Wait(30 * time.Second); code != 0 || err != nil || !exists(heard) {
		t.Errorf("ffmpeg: exit code %d, %v, heard %v:\n%s", code, err, exists(heard), listener.LogTail())
	}
}

func TestAnIPv6StreamIsAnnouncedAndReceived(t *testing.T) {
	f := newMachines(t)
	for s, address := range map[*stack.Stack]string{f.ours: "fd47::1", f.theirs: "fd47::2"} {
		f.ip(s, "addr add "+address+"/64 dev "+stack.Wire+" nodad")
	}
	ends := map[string]*stack.Process{
		"receiver": f.start(f.ours, "receiver", "guest", "--name", "sap", "--sap-receive", "archibald-desk-guest",
			"--listen", "[::]:4713", "--sap-networks", "ff15::/16,ff05::/16", "--multicast-interface", stack.Wire),
		"sender": f.sends("sender", "[ff15::4713]:5004", "--name", "desk", "--sap-announce", "--multicast-interface", stack.Wire, "--listen", "[::]:9999"),
	}
	// A group of one link, which the sender's peer names.
	sdp := f.path("link.sdp")
	text := "v=0\r\no=- 1 1 IN IP6 fd47::2\r\ns=link\r\nc=IN IP6 ff12::4713\r\nt=0 0\r\nm=audio 5006 RTP/AVP 97\r\na=rtpmap:97 L24/48000/2\r\n"
	if err := os.WriteFile(sdp, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ends["zoned"] = f.sends("zoned", "[ff12::4713%"+stack.Wire+"]:5006", "--name", "zoned", "--listen", "[::]:9998")
	ends["link"] = f.start(f.ours, "link", "guest", "--name", "link", "--sdp-in", sdp, "--listen", "[::]:5006", "--multicast-interface", stack.Wire)
	f.until("sound", ends, f.sounds(ends["receiver"]))
	f.until("sound of the link's group", ends, f.sounds(ends["link"]))
	if n := f.said(ends["receiver"], "announced_by=fd47::2"); n != 1 {
		t.Errorf("announced %d times:\n%s", n, ends["receiver"].LogTail())
	}
	f.cut()
	f.until("silence", ends, func() bool { return !f.sounds(ends["receiver"])() && !f.sounds(ends["link"])() })
	f.join()
	f.ip(f.theirs, "addr add fd47::2/64 dev "+stack.Wire+" nodad")
	f.until("sound again", ends, f.sounds(ends["receiver"]))
	f.until("sound of the link's group again", ends, f.sounds(ends["link"]))
}

func TestTwoReceiversOfOnePortHearTheirOwnStream(t *testing.T) {
	f := newMachines(t)
	ends := map[string]*stack.Process{}
	tones := map[string]float64{"a": 440, "b": 1000}
	var links [][2]string
	for i, name := range []string{"a", "b"} {
		sdp := f.path(name + ".sdp")
		ends["sender-"+name] = f.sends("sender-"+name, fmt.Sprintf("239.69.47.%d:5004", i+1), "--name", name, "--sdp-out", sdp)
		f.until("SDP file", ends, func() bool { return exists(sdp) })
		ends[name] = f.start(f.ours, name, "guest", "--name", name, "--sdp-in", sdp)
		links = append(links, [2]string{fmt.Sprintf("archibald-%s-from-host:out_1", name), fmt.Sprintf("ears:in_%d", i+1)})
		out := "tone-" + name
		if _, err := probe.Start(f.theirs, probe.Config{
			Binary: f.probe, Name: out, JackServer: f.there.Server, Duration: time.Minute, Outputs: []probe.Signal{probe.Tone(tones[name], toneDBFS)},
			Connect: [][2]string{{out + ":out_1", fmt.Sprintf("archibald-%s-to-host:in_1", name)}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for name := range tones {
		f.until("sound of "+name, ends, f.sounds(ends[name]))
	}
	ears, err := probe.Start(f.ours, probe.Config{
		Binary: f.probe, Name: "ears", JackServer: f.jackd.Server, Inputs: 2, Duration: 5 * time.Second, Connect: links,
	})
	if err != nil {
		t.Fatal(err)
	}
	heard, err := ears.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"a", "b"} {
		other := map[string]string{"a": "b", "b": "a"}[name]
		sound := heard.Sound.Channels[i]
		if there := signal.Presence(sound, 48000, tones[name], toneDBFS); there < 0.8 {
			t.Errorf("%s has its tone in %.0f %% of the time", name, 100*there)
		}
		if leak, err := signal.Leak(sound, 48000, tones[other]); err != nil || leak > -60 {
			t.Errorf("%s has the tone of %s at %.0f dBFS, %v", name, other, leak, err)
		}
	}

	alone := f.start(f.ours, "alone", "host", "--name", "alone", "--backend", "jack", "--listen", "0.0.0.0:5004")
	if code, err := alone.Wait(10 * time.Second); code != 1 || err != nil || f.said(alone, "UDP port in use") != 1 {
		t.Errorf("exit code %d, %v: an address and port is one program's:\n%s", code, err, alone.LogTail())
	}
}

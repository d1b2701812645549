package field

import (
	"os"
	"strings"
	"testing"
	"time"

	"archibald-bridge/testbed/stack"
)

func TestAnInterfaceThatIsMadeAgainIsUsedAgain(t *testing.T) {
	f := newMachines(t)
	sdp := f.path("desk.sdp")
	ends := map[string]*stack.Process{
		"sender": f.sends("sender", "239.69.47.1:5004", "--name", "desk", "--sap-announce", "--sdp-out", sdp, "--multicast-interface", stack.Wire),
		"sap":    f.start(f.ours, "sap", "guest", "--name", "sap", "--sap-receive", "archibald-desk-guest"),
	}
	f.until("SDP file", ends, func() bool { return exists(sdp) })
	ends["sdp"] = f.start(f.ours, "sdp", "guest", "--name", "sdp", "--sdp-in", sdp, "--multicast-interface", stack.Wire)
	receive := func() bool { return f.sounds(ends["sap"])() && f.sounds(ends["sdp"])() }
	f.until("sound", ends, receive)
	for range 2 {
		f.cut()
		f.until("silence", ends, func() bool { return !f.sounds(ends["sap"])() && !f.sounds(ends["sdp"])() })
		for name := range ends {
			s := f.ours
			if name == "sender" {
				s = f.theirs
			}
			if got := f.state(s, ends[name]).Session.LastError; !strings.Contains(got, "interface "+stack.Wire+" is not there") && !strings.Contains(got, "no route to 239.69.47.1") {
				t.Errorf("status of %s says %q", name, got)
			}
		}
		f.join()
		f.until("sound again", ends, receive)
	}
	for _, state := range []string{"down", "up"} { // the last time the groups stay, by the index they have
		f.ip(f.theirs, "link set "+stack.Wire+" "+state)
		f.until("a link that is "+state, ends, func() bool { return f.sounds(ends["sdp"])() == (state == "up") })
	}
	f.until("sound again", ends, receive)
	groups := f.ip(f.ours, "maddr show dev "+stack.Wire)
	for _, group := range []string{"239.69.47.1", "239.255.255.255", "224.2.127.254"} {
		if !strings.Contains(groups, group) {
			t.Errorf("%s is not joined:\n%s", group, groups)
		}
	}
	for name, p := range ends {
		for _, text := range []string{"interface wire is gone", "interface wire is back"} {
			// The kernel sends again at once; the log says so when the bridge has looked.
			f.until(name+" says "+text, ends, func() bool { return f.said(p, text) >= 3 })
			if n := f.said(p, text); n != 3 {
				t.Errorf("%s says %q %d times, want 3:\n%s", name, text, n, p.LogTail())
			}
		}
	}
	if n := f.said(ends["sap"], "audio server open"); n != 1 {
		t.Errorf("the receiver opened its audio server %d times", n)
	}
}

func TestASenderThatGetsAnotherAddressIsFollowed(t *testing.T) {
	f := newMachines(t)
	sdp := f.path("desk.sdp")
	ends := map[string]*stack.Process{
		"sender":   f.sends("sender", "239.69.47.1:5004", "--name", "desk", "--sap-announce", "--sdp-out", sdp),
		"receiver": f.start(f.ours, "receiver", "guest", "--name", "sap", "--sap-receive", "archibald-desk-guest"),
	}
	f.until("sound", ends, f.sounds(ends["receiver"]))
	const moved = "10.47.12.3"
	f.ip(f.theirs, "addr del "+theirAddress+"/24 dev "+stack.Wire)
	f.ip(f.theirs, "addr add "+moved+"/24 dev "+stack.Wire)
	f.ip(f.theirs, "route add 224.0.0.0/4 dev "+stack.Wire)
	f.until("new text", ends, func() bool {
		text, err := os.ReadFile(sdp)
		return err == nil && strings.Contains(string(text), "IN IP4 "+moved+"\r\n") &&
			strings.Contains(string(text), "source-filter: incl IN IP4 239.69.47.1 "+moved+"\r\n")
	})
	f.until("silence", ends, func() bool { return !f.sounds(ends["receiver"])() })
	f.until("sound from the new address", ends, f.sounds(ends["receiver"]))
	if peer := f.state(f.ours, ends["receiver"]).Directions.Receive.Peer; !strings.HasPrefix(peer, moved) {
		t.Errorf("it comes from %s", peer)
	}
}

func TestWhatStartsBeforeItsNetworkWaitsForIt(t *testing.T) {
	f := newMachines(t)
	in, out := f.path("in.sdp"), f.path("out.sdp")
	text := "v=0\r\no=- 1 1 IN IP4 10.47.12.2\r\ns=desk\r\nc=IN IP4 239.69.47.1/8\r\nt=0 0\r\nm=audio 5004 RTP/AVP 97\r\na=rtpmap:97 L24/48000/2\r\n"
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.cut()
	for name, args := range map[string][]string{
		"group":     {"guest", "--sdp-in", in},
		"announced": {"guest", "--sap-receive", "desk"},
		"interface": {"guest", "--static", "--peer", "239.69.47.1:5004", "--format", "L24", "--multicast-interface", stack.Wire},
		"address":   {"host", "--backend", "jack", "--listen", ourAddress + ":4799"},
	} {
		p := f.start(f.ours, "impatient-"+name, args[0], append(args[1:], "--wait", "500ms", "--name", "impatient")...)
		if code, err := p.Wait(10 * time.Second); code != 3 || err != nil || f.said(p, "never reached") != 1 {
			t.Errorf("%s: exit code %d, want 3, %v:\n%s", name, code, err, p.LogTail())
		}
	}

	page := ourAddress + ":32999" // the last of the flags counts
	ends := map[string]*stack.Process{
		"page":     f.start(f.ours, "page", "guest", "--name", "page", "--peer", theirAddress, "--listen", "0.0.0.0:4798", "--status-listen", page),
		"sender":   f.sends("sender", "239.69.47.1:5004", "--name", "desk", "--sap-announce", "--sdp-out", out),
		"sdp":      f.start(f.ours, "sdp", "guest", "--name", "sdp", "--sdp-in", in),
		"sap":      f.start(f.ours, "sap", "guest", "--name", "sap", "--sap-receive", "archibald-desk-guest"),
		"address":  f.start(f.ours, "address", "host", "--name", "address", "--backend", "jack", "--listen", ourAddress+":4799"),
		"named":    f.sends("named", "239.69.47.2:5004", "--name", "named", "--multicast-interface", stack.Wire),
		"untaught": f.start(f.ours, "untaught", "guest", "--name", "untaught", "--sdp-in", in, "--multicast-interface", stack.Wire),
	}
	for name, want := range map[string]string{
		"sender":   "address towards 239.69.47.1: no route to 239.69.47.1",
		"sdp":      "multicast group 239.69.47.1: no route to 239.69.47.1",
		"sap":      "waiting for the announcement of archibald-desk-guest",
		"address":  "this machine does not have the address " + ourAddress,
		"named":    "multicast on wire: interface wire is not there",
		"untaught": "multicast group 239.69.47.1 on wire: interface wire is not there",
	} {
		s := f.ours
		if name == "sender" || name == "named" {
			s = f.theirs
		}
		var got string
		f.until("status of "+name+" with its reason", ends, func() bool {
			got = f.state(s, ends[name]).Session.LastError
			return strings.Contains(got, want)
		})
		if n := f.said(ends[name], "waiting for the network"); n != 1 {
			t.Errorf("%s says %d times that it waits:\n%s", name, n, ends[name].LogTail())
		}
	}
	if exists(out) {
		t.Error("an SDP file of a machine without an address")
	}
	f.join()
	for _, name := range []string{"sdp", "sap", "untaught"} {
		f.until("sound of "+name, ends, f.sounds(ends[name]))
	}
	f.until("packets by the named interface", ends, func() bool {
		return f.state(f.theirs, ends["named"]).Directions.Send.Packets > 0
	})
	f.until("an answer at the address", ends, func() bool {
		command, err := f.ours.Command("ss", "-Hltn")
		if err != nil {
			t.Fatal(err)
		}
		listening, err := command.Output()
		return err == nil && strings.Contains(string(listening), ourAddress+":4799")
	})
	f.pages[ends["page"]] = page
	f.until("the status page", ends, func() bool { return f.state(f.ours, ends["page"]).End == "guest" })
	if text, err := os.ReadFile(out); err != nil || !strings.Contains(string(text), "IN IP4 "+theirAddress+"\r\n") {
		t.Errorf("%v, the origin is not this machine:\n%s", err, text)
	}
}

// Not only groups: what is bound to an address, and what names a link.
func TestSessionsComeBackWhenTheirInterfaceIsMadeAgain(t *testing.T) {
	f := newMachines(t)
	const fixed = "fe80::47"
	give := func() { f.ip(f.theirs, "addr add "+fixed+"/64 dev "+stack.Wire+" nodad") }
	give()
	allow := []string{"--backend", "jack", "--allow", "10.47.12.0/24,fe80::/10"}
	ends := map[string]*stack.Process{
		"host 4": f.start(f.theirs, "host-4", "host", append(allow, "--name", "four", "--listen", theirAddress+":4713")...),
		"host 6": f.start(f.theirs, "host-6", "host", append(allow, "--name", "six", "--listen", "[::]:4714")...),
		"4":      f.start(f.ours, "guest-4", "guest", "--name", "four", "--peer", theirAddress, "--listen", ourAddress+":4713"),
		"6":      f.start(f.ours, "guest-6", "guest", "--name", "six", "--peer", "["+fixed+"%"+stack.Wire+"]:4714", "--listen", "[::]:4714"),
	}
	both := func() bool { return f.sounds(ends["4"])() && f.sounds(ends["6"])() }
	f.until("sound", ends, both)
	f.cut()
	f.until("silence", ends, func() bool { return !f.sounds(ends["4"])() && !f.sounds(ends["6"])() })
	if got := f.state(f.ours, ends["4"]).Session.LastError; !strings.Contains(got, "this machine does not have the address "+ourAddress) {
		t.Errorf("status says %q", got)
	}
	f.join()
	give()
	f.until("sound again", ends, both)
	for _, text := range []string{"address " + ourAddress + " is gone", "address " + ourAddress + " is back"} {
		if n := f.said(ends["4"], text); n != 1 {
			t.Errorf("%q %d times, want once:\n%s", text, n, ends["4"].LogTail())
		}
	}
}

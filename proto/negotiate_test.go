package proto

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// settle takes an offer and an answer over the wire, as a session does.
func settle(t *testing.T, caller, answerer Description) (atCaller, atAnswerer Agreement) {
	t.Helper()
	offer := mustParse(t, caller.Marshal())
	answer, atAnswerer, err := Answer(offer, answerer)
	if err != nil {
		t.Fatalf("Answer: %v", err)
	}
	atCaller, err = Accept(caller, mustParse(t, answer.Marshal()))
	if err != nil {
		t.Fatalf("Accept: %v", err)
	}
	return atCaller, atAnswerer
}

func TestUsualPairAgreesOnF32(t *testing.T) {
	atGuest, atHost := settle(t, guest(), host())
	format := Format{Encoding: F32, RateHz: 48000, Channels: 2}
	want := Agreement{
		Send: format, Receive: format,
		LocalSSRC: SSRC("lab", Guest), PeerSSRC: SSRC("lab", Host),
		PeerPort: 4713, PeerName: "lab", PeerRole: Host, PeerPacketFrames: 64,
		PeerPeriodFrames: 64, Terms: Terms{SendDelay: true}, PeerSends: 2, PeerReceives: 2,
	}
	if atGuest != want {
		t.Errorf("guest: %+v", atGuest)
	}
	want.LocalSSRC, want.PeerSSRC = want.PeerSSRC, want.LocalSSRC
	want.PeerRole, want.PeerPacketFrames, want.PeerPeriodFrames = Guest, 32, 32
	if atHost != want {
		t.Errorf("host: %+v", atHost)
	}
}

func TestOfferersPreferenceDecidesTheEncoding(t *testing.T) {
	g, h := guest(), host()
	g.Payloads, h.Payloads = Payloads(L16, L24), Payloads(F32, L24, L16)
	if a, _ := settle(t, g, h); a.Send.Encoding != L16 || a.Receive.Encoding != L16 {
		t.Errorf("guest calls: %v", a)
	}
	if a, _ := settle(t, h, g); a.Send.Encoding != L24 || a.Receive.Encoding != L24 {
		t.Errorf("host calls: %v", a)
	}
}

func TestUnequalChannelCountsTakeTheSmallerPerDirection(t *testing.T) {
	g, h := guest(), host()
	g.SendChannels, g.ReceiveChannels = 8, 2
	h.SendChannels, h.ReceiveChannels = 4, 6
	atGuest, atHost := settle(t, g, h)
	if atGuest.Send.Channels != 6 || atGuest.Receive.Channels != 2 {
		t.Errorf("guest: %+v", atGuest)
	}
	if atHost.Receive.Channels != 6 || atHost.Send.Channels != 2 {
		t.Errorf("host: %+v", atHost)
	}
}

func TestBothEndsKnowWhatTheOtherHasBeyondWhatWasAgreed(t *testing.T) {
	for _, c := range []struct{ guestSends, guestReceives, hostSends, hostReceives int }{
		{6, 2, 2, 2}, {2, 2, 2, 6}, {2, 6, 2, 2}, {2, 2, 6, 2}, {8, 1, 4, 3}, {2, 0, 2, 2}, {2, 2, 0, 2}, {0, 2, 2, 2}, {2, 2, 2, 0},
	} {
		g, h := guest(), host()
		g.SendChannels, g.ReceiveChannels, h.SendChannels, h.ReceiveChannels = c.guestSends, c.guestReceives, c.hostSends, c.hostReceives
		for _, guestCalls := range []bool{true, false} {
			caller, answerer := h, g
			if guestCalls {
				caller, answerer = g, h
			}
			atGuest, atHost := settle(t, caller, answerer)
			if !guestCalls {
				atGuest, atHost = atHost, atGuest
			}
			if atGuest.PeerSends != c.hostSends || atGuest.PeerReceives != c.hostReceives {
				t.Errorf("%+v, guest calls %v: the guest takes the host for %d, %d", c, guestCalls, atGuest.PeerSends, atGuest.PeerReceives)
			}
			if atHost.PeerSends != c.guestSends || atHost.PeerReceives != c.guestReceives {
				t.Errorf("%+v, guest calls %v: the host takes the guest for %d, %d", c, guestCalls, atHost.PeerSends, atHost.PeerReceives)
			}
		}
	}
}

func TestMoreChannelsThanThisVersionCarriesAreNotAgreed(t *testing.T) {
	g, h := guest(), host()
	g.SendChannels, h.ReceiveChannels = 100, 100
	if a, _ := settle(t, g, h); a.Send.Channels != MaxChannels {
		t.Errorf("%d channels", a.Send.Channels)
	}
}

func TestOneDirectionOnly(t *testing.T) {
	g, h := guest(), host()
	g.ReceiveChannels = 0
	atGuest, atHost := settle(t, g, h)
	if atGuest.Send.Channels != 2 || atGuest.Receive.Channels != 0 || atHost.Send.Channels != 0 || atHost.Receive.Channels != 2 {
		t.Errorf("guest %+v, host %+v", atGuest, atHost)
	}
}

func TestBothEndsAlwaysAgreeOnTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	settled := 0
	for range 5000 {
		caller, answerer := randomDescription(r), randomDescription(r)
		caller.Version, answerer.Version = Version, Version
		caller.Role, answerer.Role = Guest, Host
		caller.RateHz, answerer.RateHz = 48000, 48000
		caller.PacketFrames, answerer.PacketFrames = 32, 0
		caller.SSRC, answerer.SSRC = 1, 2
		answer, atAnswerer, err := Answer(caller, answerer)
		if err != nil {
			if _, acceptErr := Accept(caller, answerer); acceptErr == nil {
				t.Fatalf("answerer refused (%v) what the caller takes", err)
			}
			continue
		}
		settled++
		atCaller, err := Accept(caller, mustParse(t, answer.Marshal()))
		if err != nil {
			t.Fatal(err)
		}
		if atCaller.Send != atAnswerer.Receive || atCaller.Receive != atAnswerer.Send ||
			atCaller.LocalSSRC != atAnswerer.PeerSSRC || atCaller.PeerSSRC != atAnswerer.LocalSSRC ||
			atCaller.Redundancy != atAnswerer.Redundancy ||
			atCaller.SendDelay != atAnswerer.SendDelay {
			t.Fatalf("caller %+v\nanswerer %+v", atCaller, atAnswerer)
		}
	}
	if settled < 1000 {
		t.Errorf("only %d of 5000 pairs came to terms: the test shows little", settled)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(g, h *Description)
		want   string
	}{
		"rates": {func(_, h *Description) { h.RateHz = 44100 },
			"the guest runs at 48000 Hz, the host at 44100 Hz: set both audio servers to the same rate"},
		"two guests": {func(_, h *Description) { h.Role = Guest },
			"both ends are guests: a session needs one guest and one host, check the address of --peer"},
		"two hosts": {func(g, _ *Description) { g.Role = Host },
			"both ends are hosts: a session needs one guest and one host, check the address of --peer"},
		"versions": {func(g, _ *Description) { g.Version = 2 },
			"protocol version: one end speaks version 2, the other version 1: install the same release at both ends"},
		"a foreign offer": {func(g, _ *Description) { g.Version = 0 },
			"one end is not an archibald-bridge: for a plain RTP stream use --static"},
		"no SSRC": {func(g, _ *Description) { g.SSRC = 0 },
			"SDP has no a=ssrc line: the ends of a session must state theirs"},
		"no common encoding": {func(g, h *Description) { g.Payloads, h.Payloads = Payloads(F32), Payloads(L24, L16) },
			"no common format: the guest offers F32 (payload type 98), the host has L24 (payload type 97), L16 (payload type 96)"},
		"another payload type": {func(g, _ *Description) { g.Payloads = []Payload{{100, L24}} },
			"no common format: the guest offers L24 (payload type 100), the host has F32 (payload type 98), L24 (payload type 97), L16 (payload type 96)"},
		"both only send": {func(g, h *Description) { g.ReceiveChannels, h.ReceiveChannels = 0, 0 },
			"no direction is left: the guest sends 2 and receives 0 channels, the host sends 2 and receives 0"},
	} {
		t.Run(name, func(t *testing.T) {
			g, h := guest(), host()
			c.change(&g, &h)
			_, _, err := Answer(g, h)
			if err == nil || err.Error() != c.want {
				t.Errorf("Answer: got  %v\nwant %s", err, c.want)
			}
			_, acceptErr := Accept(g, h)
			if acceptErr == nil || acceptErr.Error() != c.want {
				t.Errorf("Accept: got %v", acceptErr)
			}
		})
	}
}

// Each direction has the rate of its sender, where both ends resample; an end of an older
// release does not.
func TestDifferentRatesAreAgreedOnWhereBothEndsResample(t *testing.T) {
	g, h := guest(), host()
	g.RateHz, g.PacketFrames, g.AnyRate, h.AnyRate = 96000, 64, true, true
	atGuest, atHost := settle(t, g, h)
	f := func(hz int) Format { return Format{Encoding: F32, RateHz: hz, Channels: 2} }
	if atGuest.Send != f(96000) || atGuest.Receive != f(48000) || atHost.Send != f(48000) || atHost.Receive != f(96000) {
		t.Errorf("guest %+v, host %+v", atGuest, atHost)
	}
	if atGuest.PeerPacketFrames != 64 || atHost.PeerPacketFrames != 64 {
		t.Errorf("packets of the host %d frames, of the guest %d", atGuest.PeerPacketFrames, atHost.PeerPacketFrames)
	}
	for _, older := range []*Description{&g, &h} {
		older.AnyRate = false
		const want = "the guest runs at 96000 Hz, the host at 48000 Hz: set both audio servers to the same rate"
		if _, _, err := Answer(g, h); err == nil || err.Error() != want {
			t.Errorf("Answer: %v", err)
		}
		if _, err := Accept(g, h); err == nil || err.Error() != want {
			t.Errorf("Accept: %v", err)
		}
		older.AnyRate = true
	}
}

func TestOnlyTheWordAnySaysThatAnEndResamples(t *testing.T) {
	for line, want := range map[string]bool{"a=x-archibald-rates:any\r\n": true, "a=x-archibald-rates:48000\r\n": false, "": false} {
		text := strings.Replace(string(guest().Marshal()), "a=rtcp-mux", line+"a=rtcp-mux", 1)
		if d := mustParse(t, []byte(text)); d.AnyRate != want || strings.Contains(string(d.Marshal()), "x-archibald-rates:any") != want {
			t.Errorf("%q: read as %v, written as\n%s", line, d.AnyRate, d.Marshal())
		}
	}
}

func TestRefusalDoesNotRepeatNamesFromTheOffer(t *testing.T) {
	g, h := guest(), host()
	g.Name, h.Role = "<script>", Guest
	_, _, err := Answer(g, h)
	if err == nil || strings.Contains(err.Error(), "script") {
		t.Errorf("got %v", err)
	}
}

func TestAnswerKeepsWhatTheAnswererIs(t *testing.T) {
	h := host()
	answer, _, err := Answer(guest(), h)
	if err != nil {
		t.Fatal(err)
	}
	h.Payloads = Payloads(F32)
	if !reflect.DeepEqual(answer, h) {
		t.Errorf("got  %+v\nwant %+v", answer, h)
	}
}

package session

import (
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// published is a Publisher that remembers.
type published []proto.Description

func (p *published) Publish(d proto.Description) { *p = append(*p, d) }

// incoming is an end that only receives, from a multicast group.
func incoming(c *Settings) {
	c.Static, c.RateHz, c.ReceiveChannels = true, testRate, 4
	c.Incoming = &proto.Description{
		Name: "desk", Address: netip.MustParseAddr("239.69.1.2"), TTL: 1, Port: 5004,
		Payloads: []proto.Payload{{Type: 127, Encoding: proto.L16}}, RateHz: testRate, SendChannels: 4, PacketFrames: 48,
	}
}

func TestAnIncomingStreamIsReceivedAsItsDescriptionSays(t *testing.T) {
	v := newVirtual(t, incoming)
	v.openAudio()
	want := stream.ReceivePlan{Format: stream.Format{Encoding: stream.L16, RateHz: testRate, Channels: 4}, GraphRateHz: testRate, PayloadType: 127}
	if v.core.receiver == nil || *v.core.receiver != want {
		t.Fatalf("receiver %+v", v.core.receiver)
	}
	if v.core.sender != nil {
		t.Errorf("it sends: %+v", *v.core.sender)
	}
	v.publish()
	if s := v.Status(); s.Session.Peer != "" || s.Directions.Send.State != status.DirectionIdle {
		t.Errorf("%+v", s)
	}
	v.core.source = netip.MustParseAddrPort("192.168.1.9:5004")
	v.runs, v.core.packets = true, true
	v.pass(3 * time.Second)
	if s := v.Status(); s.Session.Peer != "192.168.1.9:5004" || s.Directions.Receive.Peer != "192.168.1.9:5004" || s.Directions.Receive.Channels != 4 {
		t.Errorf("%+v", s)
	}
	if len(v.core.rtcpOut) != 0 {
		t.Errorf("%d reports to nobody", len(v.core.rtcpOut))
	}
	v.core.packets = false
	v.pass(3 * time.Second)
	v.logged("no sound from the peer: playing silence", 1)
}

func TestAnIncomingStreamBesideAPeerIsAnswered(t *testing.T) {
	v := newVirtual(t, incoming, func(c *Settings) {
		c.Peer, c.Format = Peer{Host: "192.0.2.7", Port: 5006}, proto.L24
	})
	v.openAudio()
	if v.core.sender == nil || v.core.sender.Format.Encoding != stream.L24 || v.core.sender.Format.Channels != 2 {
		t.Errorf("sender %+v", v.core.sender)
	}
	if v.core.receiver == nil || v.core.receiver.Format.Encoding != stream.L16 {
		t.Errorf("receiver %+v", v.core.receiver)
	}
}

func TestAMulticastGroupIsOnlySentTo(t *testing.T) {
	v := newVirtual(t, static, func(c *Settings) { c.Peer.Host = "239.69.1.2" })
	v.openAudio()
	if v.core.receiver != nil || v.core.sender == nil {
		t.Errorf("sender %+v, receiver %+v", v.core.sender, v.core.receiver)
	}
}

func TestPacketsHaveThePacketTimeAskedFor(t *testing.T) {
	for ptime, want := range map[time.Duration]int{0: 64, time.Millisecond: 48, 125 * time.Microsecond: 6, 20 * time.Millisecond: 202} {
		v := newVirtual(t, static, func(c *Settings) { c.Ptime = ptime })
		v.openAudio()
		if got := v.core.sender.PacketFrames; got != want {
			t.Errorf("ptime %s: packets of %d frames, want %d", ptime, got, want)
		}
		v.publish()
		if got := v.Status().Directions.Send.PacketFrames; got != want {
			t.Errorf("ptime %s: the status says %d frames, want %d", ptime, got, want)
		}
		v.logged("does not fit a packet", map[bool]int{true: 1}[want == 202])
	}
}

func TestWhatIsSentIsPublishedAndAgainWhenItChanges(t *testing.T) {
	var told published
	v := newVirtualOf(t, func(p *Parts) { p.Publisher = &told }, static, func(c *Settings) { c.Peer.Host, c.MulticastTTL = "239.69.1.2", 8 })
	v.openAudio()
	want := proto.Description{
		Name: "archibald-guest", Address: netip.MustParseAddr("239.69.1.2"), TTL: 8, Port: 5004,
		Payloads: proto.Payloads(proto.L24), RateHz: testRate, SendChannels: 2, PacketFrames: 64,
		SSRC: ourSSRC, CNAME: "archibald-guest",
	}
	if len(told) != 1 || told[0].Payloads[0] != want.Payloads[0] {
		t.Fatalf("%+v", told)
	}
	want.Payloads, told[0].Payloads = nil, nil
	if string(told[0].Marshal()) != string(want.Marshal()) {
		t.Errorf("got\n%s\nwant\n%s", told[0].Marshal(), want.Marshal())
	}
	v.graphChanged(audio.Graph{RateHz: testRate, PeriodFrames: 128})
	if len(told) != 2 || told[1].PacketFrames != 128 {
		t.Errorf("%+v", told)
	}
}

func TestAnAgreedSessionIsNotPublished(t *testing.T) {
	var told published
	v := newVirtualOf(t, func(p *Parts) { p.Publisher = &told })
	v.openAudio()
	v.up(agreed("a"))
	if len(told) != 0 {
		t.Errorf("%+v", told)
	}
}

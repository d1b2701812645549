package rt_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"archibald-bridge/bridge/stream"
)

var group = netip.MustParseAddr("239.255.47.13")

func loopback(t *testing.T) int {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	check(t, err)
	return lo.Index
}

// hears plays some periods of a sender to a group and counts what a receiver that is
// set up as m got. Both use the loopback interface.
func hears(t *testing.T, m stream.Group) uint64 {
	t.Helper()
	a, b := open(t, "127.0.0.1:0"), open(t, "0.0.0.0:0")
	check(t, a.e.UseMulticast(stream.Group{Index: loopback(t), TTL: 1}))
	m.Index, m.TTL = loopback(t), 1
	check(t, b.e.UseMulticast(m))
	address := netip.AddrPortFrom(group, b.e.LocalAddr().Port())
	check(t, a.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: address}))
	check(t, b.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding)}))
	for range 10 {
		a.play()
		a.capture(0.25)
		b.play()
	}
	wantCount(t, "errors of the sender", a.e.Counters().Sent.SendErrors, 0)
	return b.received().Packets
}

func TestAMulticastGroupIsHeardOnceJoined(t *testing.T) {
	wantCount(t, "joined", hears(t, stream.Group{Group: group}), 10)
	wantCount(t, "not joined", hears(t, stream.Group{}), 0)
}

func TestAnIPv6GroupCanBeJoined(t *testing.T) { // nothing can be sent to one on loopback
	for _, source := range []netip.Addr{{}, netip.IPv6Loopback()} {
		n := open(t, "[::]:0")
		check(t, n.e.UseMulticast(stream.Group{Index: loopback(t), TTL: 1, Group: netip.MustParseAddr("ff32::4713"), Source: source}))
	}
}

func TestAGroupThatOtherProgramsHearIsNotHeard(t *testing.T) {
	lo, err := net.InterfaceByIndex(loopback(t))
	check(t, err)
	other, err := net.ListenMulticastUDP("udp4", lo, &net.UDPAddr{IP: group.AsSlice(), Port: 0})
	check(t, err)
	defer func() { _ = other.Close() }()
	wantCount(t, "packets", hears(t, stream.Group{Group: netip.MustParseAddr("239.255.47.14")}), 0)
}

func TestOnlyTheNamedSourceOfAGroupIsHeard(t *testing.T) {
	for source, want := range map[string]uint64{"127.0.0.1": 10, "127.0.0.9": 0} {
		m := stream.Group{Group: group, Source: netip.MustParseAddr(source)}
		wantCount(t, source, hears(t, m), want)
	}
}

func TestWhatMulticastCannotUseIsNamed(t *testing.T) {
	n := open(t, "127.0.0.1:0")
	for want, m := range map[string]stream.Group{
		"multicast interface 99999": {Index: 99999, TTL: 1},
		"multicast group 10.0.0.1":  {TTL: 1, Group: netip.MustParseAddr("10.0.0.1")},
	} {
		if err := n.e.UseMulticast(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

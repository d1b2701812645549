package rt_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

// inGroup is a receiver whose socket is bound to a group, which it hears on loopback.
func inGroup(t *testing.T, group netip.Addr, port uint16) *end {
	t.Helper()
	n := open(t, netip.AddrPortFrom(group, port).String())
	check(t, n.e.UseMulticast(stream.Group{Index: loopback(t), TTL: 1, Group: group}))
	check(t, n.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding)}))
	return n
}

// sendsTo is a sender to a group by way of loopback.
func sendsTo(t *testing.T, to netip.AddrPort) *end {
	t.Helper()
	n := open(t, "127.0.0.1:0")
	check(t, n.e.UseMulticast(stream.Group{Index: loopback(t), TTL: 1}))
	check(t, n.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: to}))
	return n
}

func TestReceiversOfSeveralGroupsShareAPortAndHearTheirOwn(t *testing.T) {
	one, two := netip.MustParseAddr("239.255.47.21"), netip.MustParseAddr("239.255.47.22")
	first := inGroup(t, one, 0)
	port := first.e.LocalAddr().Port()
	second, third := inGroup(t, two, port), inGroup(t, one, port)
	a, b := sendsTo(t, netip.AddrPortFrom(one, port)), sendsTo(t, netip.AddrPortFrom(two, port))
	for i := range 10 {
		a.play()
		a.capture(0.25)
		if i%2 == 0 {
			b.play()
			b.capture(0.5)
		}
		for _, n := range []*end{first, second, third} {
			n.play()
		}
	}
	for name, test := range map[string]struct {
		n    *end
		want uint64
	}{"first": {first, 10}, "second": {second, 5}, "third, of the first's group": {third, 10}} {
		wantCount(t, name, test.n.received().Packets, test.want)
	}
}

func TestAPortThatAnotherHearsOnAnAddressIsRefused(t *testing.T) {
	group := inGroup(t, netip.MustParseAddr("239.255.47.23"), 0)
	alone := open(t, "0.0.0.0:0")
	for _, listen := range []string{
		fmt.Sprintf("0.0.0.0:%d", group.e.LocalAddr().Port()),
		fmt.Sprintf("0.0.0.0:%d", alone.e.LocalAddr().Port()),
		fmt.Sprintf("239.255.47.23:%d", alone.e.LocalAddr().Port()),
	} {
		e, err := rt.Open(netip.MustParseAddrPort(listen))
		if err == nil {
			e.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "UDP port in use") {
			t.Errorf("%s: %v", listen, err)
		}
	}
}

func TestAGroupThatIsJoinedAgainIsHeardOnce(t *testing.T) {
	group := netip.MustParseAddr("239.255.47.24")
	n := inGroup(t, group, 0)
	for range 100 { // more than a socket's list holds
		check(t, n.e.UseMulticast(stream.Group{Index: loopback(t), TTL: 1, Group: group}))
		check(t, n.e.UseMulticast(stream.Group{Index: loopback(t), TTL: 1, Group: group, Source: netip.MustParseAddr("127.0.0.1")}))
	}
	a := sendsTo(t, netip.AddrPortFrom(group, n.e.LocalAddr().Port()))
	for range 10 {
		a.play()
		a.capture(0.25)
		n.play()
	}
	wantCount(t, "packets", n.received().Packets, 10)
}

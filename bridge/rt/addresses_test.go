package rt_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/bridge/stream"
)

// atPort is an address with the port of an end.
func atPort(addr string, n *end) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(addr), n.e.LocalAddr().Port())
}

// soon plays until it is so, or long after: on a cable the kernel may deliver later, in a
// thread of its own.
func (n *end) soon(ok func() bool) {
	for deadline := time.Now().Add(5 * time.Second); !ok() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		n.play()
	}
}

// A machine with several addresses: its peer believes only the one that it called. Where
// the plan does not say so, the routes choose the first one.
func TestMediaAndReportsLeaveFromTheAddressThatWasCalled(t *testing.T) {
	host, guest := newMachine(t), newMachine(t)
	join(t, host, guest, "wire", []string{"10.9.0.1/24", "10.9.0.7/24", "fd09::1/64", "fd09::7/64"}, []string{"10.9.0.2/24", "fd09::2/64"})
	for _, c := range []struct{ name, hostListens, guestListens, called, guest string }{
		{"IPv4", "0.0.0.0:0", "0.0.0.0:0", "10.9.0.7", "10.9.0.2"},
		{"IPv4 of ends that know both", "[::]:0", "[::]:0", "10.9.0.7", "10.9.0.2"},
		{"IPv6", "[::]:0", "[::]:0", "fd09::7", "fd09::2"},
		{"IPv6, the first one", "[::]:0", "[::]:0", "fd09::1", "fd09::2"},
		{"bound to one", "10.9.0.7:0", "10.9.0.2:0", "10.9.0.7", "10.9.0.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, g := host.open(t, c.hostListens), guest.open(t, c.guestListens)
			called := netip.MustParseAddr(c.called)
			check(t, h.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: atPort(c.guest, g), Source: called}))
			check(t, g.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 1, From: called}))
			for range 10 {
				h.play()
				h.capture(0.25)
				check(t, h.e.SendRTCP(reportOf(t, 1), called, atPort(c.guest, g)))
				g.play()
			}
			g.soon(func() bool { return g.received().Packets == 10 })
			wantCount(t, "send errors", h.e.Counters().Sent.SendErrors, 0)
			wantCount(t, "packets", g.received().Packets, 10)
			wantCount(t, "dropped by the kernel", g.received().KernelDrops, 0)
			if got, want := g.e.MediaSource(), atPort(c.called, h); got != want {
				t.Errorf("media source %v, want %v", got, want)
			}
			buf := make([]byte, 1500)
			for range 10 {
				var from netip.AddrPort
				ok := false
				g.soon(func() bool { _, from, _, ok = g.e.ReadRTCP(buf); return ok })
				if !ok || from != atPort(c.called, h) {
					t.Fatalf("report: %v from %v", ok, from)
				}
			}
		})
	}
	h, g := host.open(t, "0.0.0.0:0"), guest.open(t, "0.0.0.0:0") // the control
	check(t, h.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1, To: atPort("10.9.0.2", g)}))
	check(t, g.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 1, From: netip.MustParseAddr("10.9.0.7")}))
	h.play()
	h.capture(0.25)
	g.soon(func() bool { return g.received().KernelDrops > 0 })
	wantCount(t, "packets from the address of the routes", g.received().Packets, 0)
	wantCount(t, "dropped by the kernel", g.received().KernelDrops, 1)
}

// An interface that was made again has its name, and another index.
func TestALinkLocalPeerIsHeardAgainBehindAnInterfaceThatWasMadeAgain(t *testing.T) {
	host, guest := newMachine(t), newMachine(t)
	plan := stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 1, From: netip.MustParseAddr("fe80::1%wire")}
	h, g := host.open(t, "[::]:0"), guest.open(t, "[::]:0")
	for made := range uint64(3) {
		join(t, host, guest, "wire", []string{"fe80::1/64"}, []string{"fe80::2/64"})
		host.in(t, func() {
			check(t, h.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1,
				To: atPort("fe80::2%wire", g), Source: netip.MustParseAddr("fe80::1%wire")}))
		})
		guest.in(t, func() { check(t, g.e.StartReceiver(plan)) }) // without a stop before
		for range 10 {
			h.play()
			h.capture(0.25)
			g.play()
		}
		for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && g.received().Packets < 10*(made+1); time.Sleep(time.Millisecond) {
			g.play()
		}
		wantCount(t, "packets", g.received().Packets, 10*(made+1))
		guest.ip(t, "link del wire")
	}
}

// The same link-local addresses on two cables: only the zone tells them apart.
func TestALinkLocalAddressMeansTheCableOfItsZone(t *testing.T) {
	host, guest := newMachine(t), newMachine(t)
	for _, cable := range []string{"first", "second"} {
		join(t, host, guest, cable, []string{"fe80::1/64"}, []string{"fe80::2/64"})
	}
	numbered := func(m *machine, name string) (zone string) {
		m.in(t, func() {
			device, err := net.InterfaceByName(name)
			check(t, err)
			zone = string(rune('0' + device.Index))
		})
		return zone
	}
	for _, c := range []struct {
		name, hears, takes string
		want               uint64
	}{
		{"the second cable", "second", "second", 10},
		{"the first cable", "first", "first", 10},
		{"by number", numbered(host, "second"), numbered(guest, "second"), 10},
		{"the other cable", "second", "first", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, g := host.open(t, "[::]:0"), guest.open(t, "[::]:0")
			host.in(t, func() {
				check(t, h.e.StartSender(stream.SendPlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), PacketFrames: period, SSRC: 1,
					To: atPort("fe80::2%"+c.takes, g), Source: netip.MustParseAddr("fe80::1%" + c.takes)}))
			})
			guest.in(t, func() {
				check(t, g.e.StartReceiver(stream.ReceivePlan{Format: stereo, PayloadType: payloadType(stereo.Encoding), SSRC: 1, From: netip.MustParseAddr("fe80::1%" + c.hears)}))
			})
			for range 10 {
				h.play()
				h.capture(0.25)
				host.in(t, func() {
					check(t, h.e.SendRTCP(reportOf(t, 1), netip.MustParseAddr("fe80::1%"+c.takes), atPort("fe80::2%"+c.takes, g)))
				})
				g.play()
			}
			// The first packets wait until the neighbour is found, which takes as long as it takes.
			g.soon(func() bool { got := g.received(); return got.Packets == c.want && got.KernelDrops == 20-2*c.want })
			wantCount(t, "send errors", h.e.Counters().Sent.SendErrors, 0)
			wantCount(t, "packets", g.received().Packets, c.want)
			wantCount(t, "dropped by the kernel", g.received().KernelDrops, 20-2*c.want)
			if c.want == 0 {
				return
			}
			guest.in(t, func() {
				want := atPort("fe80::1%"+c.takes, h)
				if got := g.e.MediaSource(); got.Port() != want.Port() || got.Addr().WithZone("") != want.Addr().WithZone("") || got.Addr().Zone() == "" {
					t.Errorf("media source %v, want %v", got, want)
				}
				var from netip.AddrPort
				ok := false
				g.soon(func() bool { _, from, _, ok = g.e.ReadRTCP(make([]byte, 1500)); return ok })
				if !ok || from != g.e.MediaSource() {
					t.Errorf("report: %v from %v", ok, from)
				}
			})
		})
	}
}

package announce

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"archibald-bridge/proto"
)

func TestAMachineIsHeardByTheInterfaceThatItWasHeardByFirst(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	var w ways
	if w.note(desk, 0) || w.note(desk, 1<<20) || len(w) != 0 {
		t.Errorf("an interface that is none: %v", w)
	}
	if w.note(desk, lo.Index) || w[desk] != "lo" {
		t.Errorf("%v", w)
	}
	if w.note(desk, lo.Index) {
		t.Error("the same again is another")
	}
	w[desk] = "gone"
	if !w.note(desk, lo.Index) || w[desk] != "lo" {
		t.Errorf("an interface that is gone is not left: %v", w)
	}
	for i := range 1000 {
		w.note(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), lo.Index)
	}
	if len(w) > mostWays {
		t.Errorf("%d machines are remembered", len(w))
	}
}

func TestAPacketSaysByWhichInterfaceItCame(t *testing.T) {
	one, err := newEar(proto.SAPGroups[:1])
	if err != nil {
		t.Fatal(err)
	}
	e := &ears{packets: make(chan packet), over: make(chan struct{}), all: []*ear{one}}
	go e.receive(one.socket)
	defer e.close()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := one.set(membership{proto.SAPGroups[0], lo.Index}, true); err != nil {
		t.Fatal(err)
	}
	if err := send([]byte("hello"), netip.MustParseAddr("127.0.0.1"), proto.SAPGroups[:1], "lo", 1); err != nil {
		t.Fatal(err)
	}
	for p := range e.packets {
		if string(p.data) == "hello" { // else it is another program's
			if p.index != lo.Index {
				t.Errorf("%+v", p)
			}
			return
		}
	}
}

func TestWhatTheKernelSaysOfAPacketIsReadInBothFamilies(t *testing.T) {
	v4 := unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: 7})
	v6 := unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: 8})
	for _, c := range []struct {
		control []byte
		want    int
	}{{v4, 7}, {v6, 8}, {nil, 0}, {v4[:8], 0}, {v6[:len(v6)-8], 0}, {unix.UnixRights(7), 0}} {
		if got := cameBy(c.control); got != c.want {
			t.Errorf("%v: %d, want %d", c.control, got, c.want)
		}
	}
}

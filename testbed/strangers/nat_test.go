package strangers

import (
	"net/netip"
	"testing"
	"time"
)

// QEMU's user network ends the guest's connections and begins its own: the host sees
// one address, and a port for media that no offer named.
func TestSoundCrossesANetworkThatRewritesPorts(t *testing.T) {
	town := machines(t)
	relay, err := NewRelay(town.Inside(), HostDoor, nil, nil)
	must(t, err)
	defer func() { _ = relay.Close() }()
	session(t, netip.AddrPortFrom(InsideAddress, Port))
	l, err := town.Listen(time.Minute)
	must(t, err)
	must(t, l.During("rewritten ports", 3*time.Second, idle))
	must(t, relay.Rebind())
	time.Sleep(time.Second)
	must(t, l.During("other ports, a second later", 3*time.Second, idle))
	must(t, l.Finish())
	for _, p := range l.Phases {
		t.Log(p)
		// The relay is a program as others and may be late; then packets are.
		ours := p.Gaps > p.ServerFailures && p.Late+p.Lost == 0
		if p.Reconnects > 0 || ours || min(p.Heard[0], p.Heard[1]) < 0.9 {
			t.Errorf("%s: not undisturbed", p.Name)
		}
	}
}

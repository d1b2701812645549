package strangers

import (
	"net/netip"
	"testing"
	"time"
)

// relayGaps are the gaps of a phase that a relay may have made: it is a program as others
// and may be late, and then packets are.
func (p Phase) relayGaps() int {
	if p.Late+p.Lost > 0 {
		return p.Gaps
	}
	return 0
}

// heardEnough says whether the peers were heard most of the time, where a server or the relay
// stood still half of it.
func (p Phase) heardEnough() bool {
	least := 0.9
	if p.relayGaps()+p.ServerFailures > 0 {
		least = 0.5
	}
	return min(p.Heard[0], p.Heard[1]) >= least
}

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
	must(t, l.During("rewritten ports", 2*time.Second, Idle))
	must(t, relay.Rebind())
	time.Sleep(time.Second)
	must(t, l.During("other ports, a second later", 2*time.Second, Idle))
	must(t, l.Finish())
	for _, p := range l.Phases {
		t.Log(p)
		if p.Reconnects > 0 || p.Gaps > p.relayGaps()+p.ServerFailures || !p.heardEnough() {
			t.Errorf("%s: not undisturbed", p.Name)
		}
	}
}

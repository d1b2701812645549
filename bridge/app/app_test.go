package app

import (
	"net/netip"
	"testing"

	"archibald-bridge/bridge/announce"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/network"
	"archibald-bridge/proto"
)

func TestAnInterfaceThatTheUserNamedStays(t *testing.T) {
	group := netip.MustParseAddr("239.69.1.2")
	heard := "lo"
	if network.RouteChosen(group) { // on the machine of this test
		heard = ""
	}
	stream := announce.Stream{Interface: "lo", Description: proto.Description{
		Address: group, Port: 5004, RateHz: 48000, SendChannels: 2, Payloads: proto.Payloads(proto.L24),
	}}
	for _, c := range []struct{ named, peer, want string }{{"", "", heard}, {"eth7", "", "eth7"}, {"", "239.69.1.9", ""}} {
		cfg := config.Default(proto.Host)
		cfg.MulticastInterface, cfg.Peer.Host = c.named, c.peer
		if next, err := receiving(cfg, stream); err != nil || next.MulticastInterface != c.want {
			t.Errorf("%+v: by %q, %v", c, next.MulticastInterface, err)
		}
	}
}

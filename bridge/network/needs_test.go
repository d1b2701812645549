package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

func TestAGroupIsJoinedOnceAndAgainWhereItFailed(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	var used []int
	fails := errors.New("not now")
	need := multicast("lo", somewhere, func(index int) error {
		used = append(used, index)
		return fails
	})
	if _, err := need.Take(); !errors.Is(err, fails) {
		t.Error(err)
	}
	fails = nil
	for range 3 {
		if by, err := need.Take(); by != "interface lo" || err != nil {
			t.Errorf("%q, %v", by, err)
		}
	}
	if len(used) != 2 || used[0] != lo.Index || used[1] != lo.Index {
		t.Errorf("interfaces %v", used)
	}
}

func TestWithoutGroupAndInterfaceTheRoutesDecide(t *testing.T) {
	used := 0
	need := multicast("", netip.Addr{}, func(index int) error { used++; return nil })
	for range 3 {
		if _, err := need.Take(); err != nil {
			t.Error(err)
		}
	}
	if used != 1 {
		t.Errorf("set up %d times", used)
	}
}

func TestAnInterfaceThatIsMissingIsWaitedForAsLongAsTheConfigurationSays(t *testing.T) {
	cfg := config.Default(proto.Guest)
	cfg.MulticastInterface, cfg.Wait = "absent0", config.Duration{Duration: time.Millisecond}
	k := keep(t)
	leave, err := k.Multicast(context.Background(), cfg, func(stream.Group) error { t.Error("used"); return nil })
	defer leave()
	if !errors.Is(err, fault.ErrNeverReached) {
		t.Error(err)
	}
	k.tells("waiting for the network")

	cfg = config.Default(proto.Guest)
	cfg.Listen = config.Socket{AddrPort: netip.MustParseAddrPort("192.0.2.77:4713")}
	cfg.Wait = config.Duration{Duration: time.Millisecond}
	if err := k.Listen(context.Background(), cfg); !errors.Is(err, fault.ErrNeverReached) {
		t.Error(err)
	}
	k.tells("address 192.0.2.77")
}

func TestTheInterfaceOfAPeersAddressIsFollowed(t *testing.T) {
	for host, want := range map[string]int{
		"ff12::1%lo": 1, "ff12::1%absent0": 0, "ff12::1%1": 0, "fd47::1": 0, "239.69.1.2": 0, "bridgehost": 0, "": 0,
	} {
		k, calls := keep(t), 0
		cfg := config.Default(proto.Guest)
		cfg.Peer.Host = host
		leave := k.Zone(cfg, func() { calls++ })
		k.Look()
		if missing := k.Missing(); calls != want || (missing != "") != (host == "ff12::1%absent0") {
			t.Errorf("%s: told %d times, want %d; missing %q", host, calls, want, missing)
		}
		leave()
	}
}

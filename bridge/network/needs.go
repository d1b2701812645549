package network

import (
	"context"
	"net/netip"
	"strconv"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/stream"
)

// Listen waits until this machine has the address that an end listens on, as long as
// the configuration says. Until ctx ends it then tells when the address goes and comes:
// sockets that are bound to it stay so.
func (k *Keeper) Listen(ctx context.Context, cfg config.Config) error {
	address := cfg.MediaListen().Addr()
	drop, err := k.Add(Need{
		Name: "address " + address.String(),
		Take: func() (string, error) { return "", HasAddress(address) },
	})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, drop)
	return k.Await(ctx, cfg.Wait.Duration)
}

// Multicast sets a socket up as the configuration says, waits for that as long as it
// says, and does it again when the interface is another, or was away, until leave is
// called.
func (k *Keeper) Multicast(ctx context.Context, cfg config.Config, use func(stream.Group) error) (leave func(), err error) {
	group, source := cfg.Group()
	leave, err = k.Add(multicast(cfg.MulticastInterface, group, func(index int) error {
		return use(stream.Group{Index: index, TTL: cfg.MulticastTTL, Group: group, Source: source})
	}))
	if err != nil {
		return leave, err
	}
	return leave, k.Await(ctx, cfg.Wait.Duration)
}

// Zone follows the interface that the peer's address names ("fe80::2%eth0"): again is
// called when it is another one, of the same name. Leave ends it.
func (k *Keeper) Zone(cfg config.Config, again func()) (leave func()) {
	peer, err := netip.ParseAddr(cfg.Peer.Host)
	if _, number := strconv.Atoi(peer.Zone()); err != nil || peer.Zone() == "" || number == nil {
		return func() {} // whoever names an index means that one
	}
	index := 0
	return k.Follow(Need{Name: "way to " + peer.String(), Take: func() (string, error) {
		way, err := WayTo(peer, peer.Zone())
		if way.Index != index && way.Index != 0 {
			index = way.Index
			again()
		}
		return way.By(), err
	}})
}

// multicast is the need of a group, the zero Addr for none, by the interface of that
// name or, without one, by the way to the group.
func multicast(device string, group netip.Addr, use func(index int) error) Need {
	name, towards := "multicast", group
	if group.IsValid() {
		name = "multicast group " + group.String()
	} else {
		towards = netip.AddrFrom4([4]byte{239, 255, 255, 255}) // by that interface any will do
	}
	if device != "" {
		name += " on " + device
	}
	const nothing = -1
	used := nothing
	return Need{Name: name, Take: func() (string, error) {
		if device == "" && !group.IsValid() {
			if used == 0 {
				return "", nil // the routes say the rest, packet by packet
			}
			used = 0
			return "", use(0)
		}
		way, unusable := WayTo(towards, device)
		if way.Index == 0 && unusable != nil {
			used = nothing
			return "", unusable
		}
		if way.Index != used {
			used = nothing
			if err := use(way.Index); err != nil {
				return "", err
			}
			used = way.Index
		}
		return way.By(), unusable
	}}
}

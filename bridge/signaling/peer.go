package signaling

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// nextAddressAfter is how long one address of the peer has before the next one is tried, too
// (RFC 8305, section 5).
const nextAddressAfter = 250 * time.Millisecond

// dial connects to the peer from the address listened on, so that the peer sees the
// address of our media socket, and only to addresses that this socket can reach.
func (e *Endpoint) dial(ctx context.Context, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	host, port, err := net.SplitHostPort(e.config.Peer)
	if err != nil {
		return nil, err
	}
	peer, err := e.learnPeer(ctx, host)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{}
	if listen := e.config.Listen.Addr(); !listen.IsUnspecified() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(listen, 0))
	}
	return firstOf(ctx, peer, func(addr netip.Addr) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", net.JoinHostPort(byIndex(addr).String(), port))
	})
}

// byIndex names the interface of an address (its zone) by the index that it has now. By
// its name, package net would for a minute go on using the index of an interface that
// was made again since.
func byIndex(addr netip.Addr) netip.Addr {
	if device, err := net.InterfaceByName(addr.Zone()); err == nil {
		return addr.WithZone(strconv.Itoa(device.Index))
	}
	return addr
}

// byName names it by its name, as connections that come in do.
func byName(addr netip.Addr) netip.Addr {
	if index, err := strconv.Atoi(addr.Zone()); err == nil {
		if device, err := net.InterfaceByIndex(index); err == nil {
			return addr.WithZone(device.Name)
		}
	}
	return addr
}

// firstOf returns the first connection that is made to one of the addresses, or why none
// was made to the first of them.
func firstOf(ctx context.Context, addresses []netip.Addr, dial func(netip.Addr) (net.Conn, error)) (net.Conn, error) {
	type outcome struct {
		conn  net.Conn
		err   error
		index int
	}
	outcomes := make(chan outcome, len(addresses))
	next := time.NewTicker(nextAddressAfter)
	defer next.Stop()
	failed := ctx.Err() // it may be over before the first is tried
	tried, under := 0, 0
	for {
		if tried < len(addresses) && ctx.Err() == nil {
			go func(index int) {
				conn, err := dial(addresses[index])
				outcomes <- outcome{conn, err, index}
			}(tried)
			tried++
			under++
		}
		if under == 0 {
			return nil, failed
		}
		select {
		case o := <-outcomes:
			under--
			if o.err == nil {
				go func() { // the others are of no use any more
					for range under {
						if late := <-outcomes; late.err == nil {
							_ = late.conn.Close()
						}
					}
				}()
				return o.conn, nil
			}
			if failed == nil || o.index == 0 {
				failed = o.err
			}
		case <-next.C:
		}
	}
}

// learnPeer notes which addresses the peer may call from, and returns them.
func (e *Endpoint) learnPeer(ctx context.Context, host string) ([]netip.Addr, error) {
	peer, err := e.lookUp(ctx, host)
	if err == nil {
		e.entrance.expect(peer)
	}
	return peer, err
}

// lookUp returns the addresses of the peer that our media can reach. All may call us.
func (e *Endpoint) lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	found, err := e.resolve(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	listen := e.config.Listen.Addr()
	var usable []netip.Addr
	for _, addr := range found {
		addr = addr.Unmap()
		if addr.Is4() == listen.Unmap().Is4() || listen.Is6() && listen.IsUnspecified() {
			usable = append(usable, addr)
		}
	}
	if len(usable) == 0 {
		return nil, fmt.Errorf("%s has no address that %s reaches; listen on [::] for both kinds", host, listen)
	}
	return usable, nil
}

package rt

/*
#include <netinet/in.h>
#include "core.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	receiveBufferBytes = 1 << 20 // of 64 channels in F32: 40 ms, or what net.core.rmem_max leaves of it
	expeditedForward   = 46 << 2 // DSCP EF (RFC 3246) in the TOS byte
	socketPriority     = 6       // socket(7): the highest that needs no privilege
)

// mediaSocket is the UDP socket for RTP and RTCP. The C core reads it and sends
// media; Go sends RTCP.
type mediaSocket struct {
	fd    int
	local netip.AddrPort
	v6    bool
	zones map[uint32]string // names of interfaces by index

	joined int // the index of the interface whose group is heard
}

func openSocket(listen netip.AddrPort) (*mediaSocket, error) {
	v6 := !listen.Addr().Unmap().Is4()
	family := unix.AF_INET
	if v6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("media socket: %w", err)
	}
	s := &mediaSocket{fd: fd, v6: v6, zones: map[uint32]string{}}
	if err := s.prepare(listen); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *mediaSocket) prepare(listen netip.AddrPort) error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return fmt.Errorf("media socket: SO_TIMESTAMPNS: %w", err)
	}
	// Without these the stream still works, only less well protected from others.
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBufferBytes) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBufferBytes)
	}
	_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_TOS, expeditedForward)
	if s.v6 {
		_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, expeditedForward)
	}
	// Last: IP_TOS sets a lower priority of its own (ip(7)).
	_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_PRIORITY, socketPriority)
	if err := s.filter(hearing{}); err != nil {
		return err
	}
	if listen.Addr().IsMulticast() { // others may hear other groups, or the same one, at that port
		if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return fmt.Errorf("media socket: SO_REUSEADDR: %w", err)
		}
	}
	if err := unix.Bind(s.fd, s.sockaddr(listen)); err != nil {
		if errors.Is(err, unix.EADDRINUSE) {
			return fmt.Errorf("listen %s: UDP port in use: is another archibald-bridge running?", listen)
		}
		return fmt.Errorf("listen %s: %w", listen, err)
	}
	bound, err := unix.Getsockname(s.fd)
	if err != nil {
		return fmt.Errorf("media socket: %w", err)
	}
	switch a := bound.(type) {
	case *unix.SockaddrInet4:
		s.local = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		addr := netip.AddrFrom16(a.Addr)
		if a.ZoneId != 0 {
			addr = addr.WithZone(s.zone(a.ZoneId))
		}
		s.local = netip.AddrPortFrom(addr, uint16(a.Port))
	}
	return nil
}

func (s *mediaSocket) close() { _ = unix.Close(s.fd) }

// LocalAddr is the address that the media socket is bound to.
func (e *Engine) LocalAddr() netip.AddrPort { return e.socket.local }

// send writes one datagram without O_NONBLOCK on the description that the core
// shares; from as for sourceMessage.
func (s *mediaSocket) send(datagram []byte, from netip.Addr, to netip.AddrPort) error {
	if !s.v6 && !to.Addr().Unmap().Is4() {
		return fmt.Errorf("send to %s: not reachable from %s", to, s.local)
	}
	if _, err := unix.SendmsgN(s.fd, datagram, s.sourceMessage(from), s.sockaddr(to), unix.MSG_DONTWAIT); err != nil {
		return fmt.Errorf("send to %s: %w", to, err)
	}
	return nil
}

// sourceMessage is the control message by which a datagram leaves from an address of
// ours; none where it does anyway, or is to go as the routes say. IPv4 on a
// socket of IPv6 takes it mapped.
func (s *mediaSocket) sourceMessage(from netip.Addr) []byte {
	switch from = from.Unmap(); {
	case !from.IsValid() || from.IsUnspecified() || !s.local.Addr().IsUnspecified():
		return nil
	case s.v6:
		return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: from.As16(), Ifindex: s.scopeOf(from)})
	case !from.Is4():
		return nil
	}
	return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from.As4()})
}

func (s *mediaSocket) sockaddr(a netip.AddrPort) unix.Sockaddr {
	if s.v6 {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: s.scopeOf(a.Addr())}
	}
	addr := a.Addr().Unmap()
	if !addr.Is4() {
		addr = netip.IPv4Unspecified()
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: addr.As4()}
}

// scopeOf is the interface that an address's zone names, by name or number; 0: none.
func (s *mediaSocket) scopeOf(a netip.Addr) uint32 {
	if a.Zone() == "" {
		return 0
	}
	if index, err := s.interfaceIndex(a.Zone()); err == nil {
		return index
	}
	number, _ := strconv.ParseUint(a.Zone(), 10, 32)
	return uint32(number)
}

// interfaceIndex asks the kernel through the socket itself (netdevice(7)), so that it is
// known in a sandbox without netlink, too.
func (s *mediaSocket) interfaceIndex(name string) (uint32, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	err = unix.IoctlIfreq(s.fd, unix.SIOCGIFINDEX, request)
	return request.Uint32(), err
}

// zone is the name of an interface, which does not change while it is used.
func (s *mediaSocket) zone(scope uint32) string {
	name, known := s.zones[scope]
	if !known {
		name = strconv.FormatUint(uint64(scope), 10)
		if device, err := net.InterfaceByIndex(int(scope)); err == nil {
			name = device.Name
		}
		s.zones[scope] = name
	}
	return name
}

// putAddress writes a as a C sockaddr of the socket's family and returns its
// length; 0 when the socket cannot reach that family.
func (s *mediaSocket) putAddress(at unsafe.Pointer, a netip.AddrPort) C.socklen_t {
	port := C.in_port_t(swap16(a.Port()))
	if s.v6 {
		sa := (*C.struct_sockaddr_in6)(at)
		sa.sin6_family = C.AF_INET6
		sa.sin6_port = port
		sa.sin6_scope_id = C.uint32_t(s.scopeOf(a.Addr()))
		b := a.Addr().As16()
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&sa.sin6_addr)), 16), b[:])
		return C.sizeof_struct_sockaddr_in6
	}
	if !a.Addr().Unmap().Is4() {
		return 0
	}
	sa := (*C.struct_sockaddr_in)(at)
	sa.sin_family = C.AF_INET
	sa.sin_port = port
	b := a.Addr().Unmap().As4()
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&sa.sin_addr)), 4), b[:])
	return C.sizeof_struct_sockaddr_in
}

// address is a C sockaddr as Go has it; invalid without a family.
func (s *mediaSocket) address(at unsafe.Pointer) netip.AddrPort {
	switch (*C.struct_sockaddr_storage)(at).ss_family {
	case C.AF_INET:
		sa := (*C.struct_sockaddr_in)(at)
		b := [4]byte(unsafe.Slice((*byte)(unsafe.Pointer(&sa.sin_addr)), 4))
		return netip.AddrPortFrom(netip.AddrFrom4(b), swap16(uint16(sa.sin_port)))
	case C.AF_INET6:
		sa := (*C.struct_sockaddr_in6)(at)
		b := [16]byte(unsafe.Slice((*byte)(unsafe.Pointer(&sa.sin6_addr)), 16))
		addr := netip.AddrFrom16(b).Unmap()
		if sa.sin6_scope_id != 0 {
			addr = addr.WithZone(s.zone(uint32(sa.sin6_scope_id)))
		}
		return netip.AddrPortFrom(addr, swap16(uint16(sa.sin6_port)))
	}
	return netip.AddrPort{}
}

func swap16(x uint16) uint16 { return x<<8 | x>>8 }

package rt

/*
#include <netinet/in.h>
#include "core.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"net/netip"
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
	s := &mediaSocket{fd: fd, v6: v6}
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
	if err := s.filter(0, 0); err != nil {
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
		s.local = netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return nil
}

func (s *mediaSocket) close() { _ = unix.Close(s.fd) }

// LocalAddr is the address that the media socket is bound to.
func (e *Engine) LocalAddr() netip.AddrPort { return e.socket.local }

// filter lets the kernel drop what cannot be ours before it costs the audio
// thread anything: all but RTCP (RFC 5761, section 4) and RTP with the payload
// type and SSRC. payloadType 0 lets RTCP through only; ssrc 0 is any.
func (s *mediaSocket) filter(payloadType uint8, ssrc uint32) error {
	const payload = 8 // a UDP socket's filter sees the UDP header first (socket(7))
	load := func(size uint16, at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | size | unix.BPF_ABS, K: payload + at}
	}
	and := func(mask uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: mask}
	}
	jump := func(op uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	ret := func(bytes uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: bytes}
	}
	const accept, drop = 0xffff, 0
	program := []unix.SockFilter{
		load(unix.BPF_B, 0), and(0xc0), jump(unix.BPF_JEQ, 2<<6, 1, 0), ret(drop),
		load(unix.BPF_B, 1),
		jump(unix.BPF_JGE, 192, 0, 2), jump(unix.BPF_JGT, 223, 1, 0), ret(accept),
		and(0x7f), jump(unix.BPF_JEQ, uint32(payloadType), 1, 0), ret(drop),
	}
	if ssrc != 0 {
		program = append(program, load(unix.BPF_W, 8), jump(unix.BPF_JEQ, ssrc, 1, 0), ret(drop))
	}
	if payloadType != 0 {
		program = append(program, ret(accept))
	} else {
		program = append(program, ret(drop))
	}
	err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("media socket: SO_ATTACH_FILTER: %w", err)
	}
	return nil
}

// send writes one datagram without O_NONBLOCK on the description that the core
// shares.
func (s *mediaSocket) send(datagram []byte, to netip.AddrPort) error {
	if !s.v6 && !to.Addr().Unmap().Is4() {
		return fmt.Errorf("send to %s: not reachable from %s", to, s.local)
	}
	if err := unix.Sendto(s.fd, datagram, unix.MSG_DONTWAIT, s.sockaddr(to)); err != nil {
		return fmt.Errorf("send to %s: %w", to, err)
	}
	return nil
}

func (s *mediaSocket) sockaddr(a netip.AddrPort) unix.Sockaddr {
	if s.v6 {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	addr := a.Addr().Unmap()
	if !addr.Is4() {
		addr = netip.IPv4Unspecified()
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: addr.As4()}
}

// putAddress writes a as a C sockaddr of the socket's family and returns its
// length; 0 when the socket cannot reach that family.
func (s *mediaSocket) putAddress(at unsafe.Pointer, a netip.AddrPort) C.socklen_t {
	port := C.in_port_t(swap16(a.Port()))
	if s.v6 {
		sa := (*C.struct_sockaddr_in6)(at)
		sa.sin6_family = C.AF_INET6
		sa.sin6_port = port
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

func getAddress(at unsafe.Pointer) netip.AddrPort {
	switch (*C.struct_sockaddr_storage)(at).ss_family {
	case C.AF_INET:
		sa := (*C.struct_sockaddr_in)(at)
		b := [4]byte(unsafe.Slice((*byte)(unsafe.Pointer(&sa.sin_addr)), 4))
		return netip.AddrPortFrom(netip.AddrFrom4(b), swap16(uint16(sa.sin_port)))
	case C.AF_INET6:
		sa := (*C.struct_sockaddr_in6)(at)
		b := [16]byte(unsafe.Slice((*byte)(unsafe.Pointer(&sa.sin6_addr)), 16))
		return netip.AddrPortFrom(netip.AddrFrom16(b).Unmap(), swap16(uint16(sa.sin6_port)))
	}
	return netip.AddrPort{}
}

func swap16(x uint16) uint16 { return x<<8 | x>>8 }

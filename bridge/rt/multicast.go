package rt

// #include <netinet/in.h>
import "C"

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/stream"
)

// UseMulticast prepares the socket for a group (ip(7), ipv6(7), RFC 3678). The socket then
// receives what is sent to the group and to its own address. It may be called again with
// another interface, of the same name or not: the socket leaves the group on the old one
// and joins it on the new one. It changes no plan, and may be called from any goroutine.
func (e *Engine) UseMulticast(m stream.Group) error {
	s := e.socket
	options := []struct {
		level, name, value int
	}{
		{unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, m.TTL},
		{unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0}, // no groups of other sockets
	}
	if s.v6 {
		options = append(options, []struct{ level, name, value int }{
			{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, m.TTL},
			{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0},
			{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, m.Index},
		}...)
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(s.fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("multicast: socket option %d of level %d: %w", o.name, o.level, err)
		}
	}
	if m.Index != 0 {
		if err := unix.SetsockoptIPMreqn(s.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(m.Index)}); err != nil {
			return fmt.Errorf("multicast interface %d: %w", m.Index, err)
		}
	}
	if !m.Group.IsValid() {
		return nil
	}
	// An interface that is gone has left its place in the socket's list, which is short
	// (igmp_max_memberships). Left are both families' sources with the group.
	_ = s.membership(unix.MCAST_LEAVE_GROUP, m.Group, netip.Addr{}, s.joined)
	option := unix.MCAST_JOIN_GROUP
	if m.Source.IsValid() {
		option = unix.MCAST_JOIN_SOURCE_GROUP
	}
	if err := s.membership(option, m.Group, m.Source, m.Index); err != nil {
		return fmt.Errorf("multicast group %s: %w", m.Group, err)
	}
	s.joined = m.Index
	return nil
}

// membership makes the kernel receive a group, or not any more: struct group_req, with
// which group_source_req begins, serves both families (RFC 3678, section 5).
func (s *mediaSocket) membership(option int, group, source netip.Addr, index int) error {
	level := unix.IPPROTO_IP
	if group.Is6() {
		level = unix.IPPROTO_IPV6
	}
	request := C.struct_group_source_req{gsr_interface: C.uint32_t(index)}
	putGroupAddress(&request.gsr_group, group)
	bytes := C.sizeof_struct_group_req
	if source.IsValid() {
		putGroupAddress(&request.gsr_source, source)
		bytes = C.sizeof_struct_group_source_req
	}
	return unix.SetsockoptString(s.fd, level, option, string(unsafe.Slice((*byte)(unsafe.Pointer(&request)), bytes)))
}

func putGroupAddress(into *C.struct_sockaddr_storage, a netip.Addr) {
	if a.Is4() {
		in := (*C.struct_sockaddr_in)(unsafe.Pointer(into))
		in.sin_family = unix.AF_INET
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&in.sin_addr)), 4), a.AsSlice())
		return
	}
	in := (*C.struct_sockaddr_in6)(unsafe.Pointer(into))
	in.sin6_family = unix.AF_INET6
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&in.sin6_addr)), 16), a.AsSlice())
}

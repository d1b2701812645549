package rt

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Multicast is how the media socket takes part in multicast.
type Multicast struct {
	Interface string     // network interface; "": as the routes say
	TTL       int        // of what is sent, 1 to 255
	Group     netip.Addr // to receive from; the zero Addr: none
	Source    netip.Addr // the only machine heard in Group; the zero Addr: any
}

// UseMulticast prepares the socket for it (ip(7), ipv6(7), RFC 3678). The socket then
// hears the group, and beside it what is sent to its own address.
func (e *Engine) UseMulticast(m Multicast) error {
	s, index := e.socket, 0
	if m.Interface != "" {
		device, err := net.InterfaceByName(m.Interface)
		if err != nil {
			return fmt.Errorf("multicast interface %s: %w", m.Interface, err)
		}
		index = device.Index
	}
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
			{unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index},
		}...)
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(s.fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("multicast: socket option %d of level %d: %w", o.name, o.level, err)
		}
	}
	if index != 0 {
		if err := unix.SetsockoptIPMreqn(s.fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(index)}); err != nil {
			return fmt.Errorf("multicast interface %s: %w", m.Interface, err)
		}
	}
	if !m.Group.IsValid() {
		return nil
	}
	if err := s.join(m.Group, m.Source, index); err != nil {
		return fmt.Errorf("multicast group %s: %w", m.Group, err)
	}
	return nil
}

// join makes the kernel receive a group: struct group_req or group_source_req, which
// serve both families (RFC 3678, section 5).
func (s *mediaSocket) join(group, source netip.Addr, index int) error {
	level, option := unix.IPPROTO_IP, unix.MCAST_JOIN_GROUP
	if group.Is6() {
		level = unix.IPPROTO_IPV6
	}
	request := binary.NativeEndian.AppendUint32(nil, uint32(index))
	request = append(request, 0, 0, 0, 0) // sockaddr_storage is aligned to 8
	request = appendSockaddr(request, group)
	if source.IsValid() {
		option = unix.MCAST_JOIN_SOURCE_GROUP
		request = appendSockaddr(request, source)
	}
	return unix.SetsockoptString(s.fd, level, option, string(request))
}

// appendSockaddr appends a struct sockaddr_storage, of 128 bytes.
func appendSockaddr(b []byte, a netip.Addr) []byte {
	var storage [128]byte
	if a.Is4() {
		binary.NativeEndian.PutUint16(storage[:], unix.AF_INET)
		copy(storage[4:], a.AsSlice())
	} else {
		binary.NativeEndian.PutUint16(storage[:], unix.AF_INET6)
		copy(storage[8:], a.AsSlice())
	}
	return append(b, storage[:]...)
}

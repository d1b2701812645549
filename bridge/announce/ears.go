package announce

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/network"
	"archibald-bridge/proto"
)

// packet is what came in on one of the groups.
type packet struct {
	data  []byte
	from  netip.Addr
	index int // of the interface that it came by; 0: not known
}

// ears hear the groups of announcements on every interface that has multicast.
type ears struct {
	device  string // the only interface; "": all
	all     []*ear
	packets chan packet
	over    chan struct{}
}

// ear is a socket and the groups that it hears. For IPv4 it is one group, because a socket
// can join only a few on all interfaces together (igmp_max_memberships). For IPv6 it is all
// groups, because the link-local one cannot be bound to without an interface.
type ear struct {
	groups []netip.Addr
	socket *net.UDPConn
	raw    syscall.RawConn
	joined map[membership]bool
}

type membership struct {
	group netip.Addr
	index int // of the interface; 0: the kernel's choice
}

// listen opens the sockets. Nothing is heard before they join. It fails when no socket
// can be had.
func listen(device string, v6 bool) (*ears, error) {
	e := &ears{device: device, packets: make(chan packet), over: make(chan struct{})}
	sets := make([][]netip.Addr, 0, len(proto.SAPGroups)+1)
	for _, group := range proto.SAPGroups {
		sets = append(sets, []netip.Addr{group})
	}
	if v6 {
		sets = append(sets, proto.SAPGroups6)
	}
	var failed error
	for _, groups := range sets {
		one, err := newEar(groups)
		if err != nil {
			failed = err
			continue
		}
		e.all = append(e.all, one)
		go e.receive(one.socket)
	}
	if len(e.all) == 0 {
		return nil, failed
	}
	return e, nil
}

func newEar(groups []netip.Addr) (*ear, error) {
	kind, local := "udp4", groups[0]
	if local.Is6() {
		kind, local = "udp6", netip.IPv6Unspecified()
	}
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
			if failed == nil && local.Is4() {
				failed = errors.Join(unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0),
					unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1))
			} else if failed == nil {
				failed = errors.Join(unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0),
					unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1))
			}
		})
		return errors.Join(err, failed)
	}}
	// Go binds to the wildcard address where a group is given (net.ListenMulticastUDP);
	// other groups are not heard nonetheless.
	socket, err := config.ListenPacket(context.Background(), kind, netip.AddrPortFrom(local, proto.SAPPort).String())
	if err != nil {
		return nil, fmt.Errorf("announcements: %w", err)
	}
	udp := socket.(*net.UDPConn)
	raw, err := udp.SyscallConn()
	if err != nil {
		_ = udp.Close()
		return nil, fmt.Errorf("announcements: %w", err)
	}
	return &ear{groups: groups, socket: udp, raw: raw, joined: map[membership]bool{}}, nil
}

// receive passes on what comes, until the socket is closed.
func (e *ears) receive(socket *net.UDPConn) {
	buf, control := make([]byte, proto.MaxAnnouncementBytes+1), make([]byte, 128)
	for {
		n, controlled, _, from, err := socket.ReadMsgUDPAddrPort(buf, control)
		if err != nil {
			return
		}
		select {
		case e.packets <- packet{append([]byte(nil), buf[:n]...), from.Addr().Unmap(), cameBy(control[:controlled])}:
		case <-e.over:
			return
		}
	}
}

// cameBy is the index of the interface that a packet came by (ip(7), RFC 3542); 0: not
// said.
func cameBy(control []byte) int {
	const index4, index6 = 0, 16 // in struct in_pktinfo and in6_pktinfo
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		at := -1
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO:
			at = index4
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO:
			at = index6
		}
		if at >= 0 && len(m.Data) >= at+4 {
			return int(binary.NativeEndian.Uint32(m.Data[at:]))
		}
	}
	return 0
}

func (e *ears) close() {
	close(e.over)
	for _, one := range e.all {
		_ = one.socket.Close()
	}
}

func (e *ears) need() network.Need {
	return network.Need{Name: "announcements of streams (SAP)", Take: e.join}
}

// join joins every group on every interface where that was not done, and lets go of
// those that are gone. It is enough that one group is heard on one of them.
func (e *ears) join() (by string, err error) {
	var failed error
	heard := false
	if e.device != "" {
		by = "interface " + e.device
	}
	for _, one := range e.all {
		indices, err := e.indices(one.groups[0])
		if err != nil {
			failed = err
		}
		for m := range one.joined {
			if !slices.Contains(indices, m.index) {
				_ = one.set(m, false) // the interface is gone, but not from the socket's list
				delete(one.joined, m)
			}
		}
		for _, index := range indices {
			for _, group := range one.groups {
				m := membership{group, index}
				if !one.joined[m] {
					if err := one.set(m, true); err != nil {
						failed = fmt.Errorf("group %s: %w", group, err)
						continue
					}
					one.joined[m] = true
				}
				heard = true
			}
		}
	}
	if heard {
		return by, nil
	}
	if failed == nil {
		failed = &network.Absent{What: "no interface has multicast"}
	}
	return by, failed
}

// indices are those of the interfaces to hear a group's family on.
func (e *ears) indices(group netip.Addr) ([]int, error) {
	way, err := network.WayTo(group, e.device)
	if e.device != "" {
		if way.Index == 0 {
			return nil, err
		}
		return []int{way.Index}, err
	}
	var all []int
	interfaces, listed := net.Interfaces()
	if listed != nil {
		return []int{0}, nil // as the kernel likes
	}
	for _, i := range interfaces {
		const wanted = net.FlagUp | net.FlagMulticast
		if i.Flags&wanted == wanted && hasFamily(i, group.Is4()) {
			all = append(all, i.Index)
		}
	}
	// Where the routes send groups they are heard, whatever the interface is.
	if err == nil && way.Index != 0 && !slices.Contains(all, way.Index) {
		all = append(all, way.Index)
	}
	return all, err
}

func hasFamily(i net.Interface, v4 bool) bool {
	addresses, err := i.Addrs()
	return err == nil && slices.ContainsFunc(addresses, func(a net.Addr) bool {
		prefix, ok := a.(*net.IPNet)
		return ok && (prefix.IP.To4() != nil) == v4
	})
}

// set joins or leaves.
func (e *ear) set(m membership, join bool) error {
	var failed error
	err := e.raw.Control(func(fd uintptr) {
		if m.group.Is4() {
			option := unix.IP_DROP_MEMBERSHIP
			if join {
				option = unix.IP_ADD_MEMBERSHIP
			}
			failed = unix.SetsockoptIPMreqn(int(fd), unix.IPPROTO_IP, option, &unix.IPMreqn{Multiaddr: m.group.As4(), Ifindex: int32(m.index)})
			return
		}
		option := unix.IPV6_LEAVE_GROUP
		if join {
			option = unix.IPV6_JOIN_GROUP
		}
		failed = unix.SetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IPV6, option, &unix.IPv6Mreq{Multiaddr: m.group.As16(), Interface: uint32(m.index)})
	})
	if err == nil {
		err = failed
	}
	return err
}

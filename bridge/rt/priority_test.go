package rt_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/stream"
)

const (
	expedited = 0xb8 // DSCP 46 (RFC 3246) and no ECN
	urgent    = 6    // the highest SO_PRIORITY that needs no privilege (socket(7))
)

// mediaDescriptor finds the engine's socket among this process's files.
func mediaDescriptor(t *testing.T, local netip.AddrPort) int {
	t.Helper()
	for fd := range 1024 {
		bound, err := unix.Getsockname(fd)
		if err != nil {
			continue
		}
		port := 0
		switch a := bound.(type) {
		case *unix.SockaddrInet4:
			port = a.Port
		case *unix.SockaddrInet6:
			port = a.Port
		}
		kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		if err == nil && kind == unix.SOCK_DGRAM && port == int(local.Port()) {
			return fd
		}
	}
	t.Fatalf("no descriptor is bound to %v", local)
	return -1
}

func TestMediaSocketHasPriority(t *testing.T) {
	for address, options := range map[string]map[string][3]int{
		"127.0.0.41:0": {
			"SO_PRIORITY": {unix.SOL_SOCKET, unix.SO_PRIORITY, urgent},
			"IP_TOS":      {unix.IPPROTO_IP, unix.IP_TOS, expedited},
		},
		"[::1]:0": {
			"SO_PRIORITY": {unix.SOL_SOCKET, unix.SO_PRIORITY, urgent},
			"IP_TOS":      {unix.IPPROTO_IP, unix.IP_TOS, expedited}, // for peers with IPv4 addresses
			"IPV6_TCLASS": {unix.IPPROTO_IPV6, unix.IPV6_TCLASS, expedited},
		},
	} {
		e, err := rt.Open(netip.MustParseAddrPort(address))
		check(t, err)
		fd := mediaDescriptor(t, e.LocalAddr())
		for name, o := range options {
			got, err := unix.GetsockoptInt(fd, o[0], o[1])
			if err != nil || got != o[2] {
				t.Errorf("%s: %s is %#x, %v; want %#x", address, name, got, err, o[2])
			}
		}
		e.Close()
	}
}

// tosReader is a plain socket that tells the TOS or traffic class of what comes.
func tosReader(t *testing.T, address string) (netip.AddrPort, func() int) {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	raw, err := c.SyscallConn()
	check(t, err)
	check(t, raw.Control(func(fd uintptr) {
		if netip.MustParseAddrPort(address).Addr().Is4() {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
		} else {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
		}
	}))
	check(t, err)
	return c.LocalAddr().(*net.UDPAddr).AddrPort(), func() int {
		t.Helper()
		data, control := make([]byte, 2048), make([]byte, 256)
		check(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
		_, n, _, _, err := c.ReadMsgUDP(data, control)
		check(t, err)
		messages, err := unix.ParseSocketControlMessage(control[:n])
		check(t, err)
		for _, m := range messages {
			isTOS := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_TOS
			isClass := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_TCLASS
			if isTOS || isClass {
				return int(m.Data[0]) // a byte for IPv4; a small number for IPv6, whose first byte it is on little-endian machines
			}
		}
		t.Fatalf("no TOS with the packet: %v", messages)
		return 0
	}
}

func TestMediaAndReportsArriveMarkedAsExpedited(t *testing.T) {
	for name, addresses := range map[string][2]string{
		"IPv4":                          {"127.0.0.42:0", "127.0.0.43:0"},
		"IPv6":                          {"[::1]:0", "[::1]:0"},
		"IPv4 peer of an end on [::]:0": {"[::]:0", "127.0.0.44:0"},
	} {
		t.Run(name, func(t *testing.T) {
			n := open(t, addresses[0])
			to, next := tosReader(t, addresses[1])
			check(t, n.e.StartSender(stream.SendPlan{
				Format: stream.Format{Encoding: stream.F32, RateHz: 48000, Channels: 2}, PayloadType: payloadType(stream.F32), PacketFrames: period, SSRC: 1, To: to,
			}))
			n.play()
			n.capture(0.5)
			if got := next(); got != expedited {
				t.Errorf("media arrives with TOS %#x, want %#x", got, expedited)
			}
			check(t, n.e.SendRTCP([]byte{0x80, 201, 0, 1, 0, 0, 0, 1}, netip.Addr{}, to))
			if got := next(); got != expedited {
				t.Errorf("RTCP arrives with TOS %#x, want %#x", got, expedited)
			}
		})
	}
}

package announce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/bridge/network"
	"archibald-bridge/proto"
)

// interval is how often an announcement is repeated. PipeWire does the same; the
// standard's five minutes (RFC 2974, section 3.1) is longer than users wait.
const interval = 5 * time.Second

// said is an announcement and where it is made.
type said struct {
	proto.Announcement
	groups []netip.Addr
}

// speaker repeats an announcement until it is closed.
type speaker struct {
	send func(packet []byte, from netip.Addr, groups []netip.Addr)
	tick <-chan time.Time
	news chan *said    // nil: be silent, there is no network
	over chan struct{} // closed: take it back and end
	done chan struct{} // closed: it has ended
	free func()        // the ticker
}

func newSpeaker(device string, ttl int, log *slog.Logger) *speaker {
	ticker := time.NewTicker(interval)
	failed := false
	s := &speaker{tick: ticker.C, free: ticker.Stop}
	s.send = func(packet []byte, from netip.Addr, groups []netip.Addr) {
		err := send(packet, from, groups, device, ttl)
		if err != nil && !failed {
			log.Warn("cannot announce the stream, trying again", "reason", err)
		}
		failed = err != nil
	}
	s.start()
	return s
}

// send sends a packet to each of the groups, from an address of this machine if it has
// it. A socket for each packet is never bound to an interface that is gone.
func send(packet []byte, from netip.Addr, groups []netip.Addr, device string, ttl int) error {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return prepare(raw, from.Is6(), device, ttl)
	}}
	kind := "udp4"
	if from.Is6() {
		kind = "udp6"
	}
	local := netip.AddrPortFrom(from, 0).String()
	if from.IsLinkLocalUnicast() { // its interface is not known here
		local = ":0"
	}
	socket, err := config.ListenPacket(context.Background(), kind, local)
	if errors.Is(err, unix.EADDRNOTAVAIL) { // what is taken back was said from another
		socket, err = config.ListenPacket(context.Background(), kind, ":0")
	}
	if err != nil {
		return err
	}
	defer func() { _ = socket.Close() }()
	var failed error
	for _, group := range groups {
		if _, err := socket.WriteTo(packet, net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, proto.SAPPort))); err != nil {
			failed = err
		}
	}
	return failed
}

// prepare makes the socket send to groups by way of a network interface, as far as
// ttl routers away (ip(7), ipv6(7)).
func prepare(raw syscall.RawConn, v6 bool, device string, ttl int) error {
	index := 0
	if device != "" {
		found, err := network.Interface(device)
		if err != nil {
			return fmt.Errorf("interface %s: %w", device, err)
		}
		index = found.Index
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
		if v6 {
			failed = errors.Join(
				unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, ttl),
				unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index))
			return
		}
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, ttl)
		if failed == nil && index != 0 {
			failed = unix.SetsockoptIPMreqn(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(index)})
		}
	})
	if err == nil {
		err = failed
	}
	return err
}

func (s *speaker) start() {
	s.news, s.over, s.done = make(chan *said), make(chan struct{}), make(chan struct{})
	go s.run()
}

// say makes a the announcement, in place of the one before.
func (s *speaker) say(a said) { s.tell(&a) }

// hush ends the repeating until something is said again.
func (s *speaker) hush() { s.tell(nil) }

func (s *speaker) tell(a *said) {
	select {
	case s.news <- a:
	case <-s.done:
	}
}

func (s *speaker) close() {
	close(s.over)
	<-s.done
	s.free()
}

func (s *speaker) run() {
	defer close(s.done)
	var current *said
	hushed := false
	speak := func() {
		if current != nil && !hushed {
			s.send(current.Marshal(), current.Source, current.groups)
		}
	}
	withdraw := func() {
		if current != nil {
			gone := current.Announcement
			gone.Delete = true
			s.send(gone.Marshal(), gone.Source, current.groups)
		}
	}
	for {
		select {
		case <-s.over:
			withdraw()
			return
		case a := <-s.news:
			was := hushed
			if hushed = a == nil; hushed {
				continue
			}
			if current == nil || !bytes.Equal(current.SDP, a.SDP) {
				withdraw()
				current, was = a, true
			}
			if was {
				speak()
			}
		case <-s.tick:
			speak()
		}
	}
}

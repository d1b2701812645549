package announce

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"archibald-bridge/proto"
)

// interval is how often an announcement is repeated. PipeWire does the same; the
// standard's five minutes (RFC 2974, section 3.1) is longer than users wait.
const interval = 5 * time.Second

// speaker repeats an announcement until it is closed.
type speaker struct {
	send func(packet []byte)
	tick <-chan time.Time
	news chan proto.Announcement
	over chan struct{} // closed: take it back and end
	done chan struct{} // closed: it has ended
	free func()        // the socket and the ticker
}

func newSpeaker(device string, ttl int, log *slog.Logger) (*speaker, error) {
	socket, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return nil, fmt.Errorf("announcements: %w", err)
	}
	raw, err := socket.SyscallConn()
	if err == nil {
		err = prepare(raw, device, ttl)
	}
	if err != nil {
		_ = socket.Close()
		return nil, fmt.Errorf("announcements: %w", err)
	}
	ticker := time.NewTicker(interval)
	failed := false
	s := &speaker{tick: ticker.C, free: func() { ticker.Stop(); _ = socket.Close() }}
	s.send = func(packet []byte) {
		for _, group := range proto.SAPGroups {
			_, err := socket.WriteToUDPAddrPort(packet, netip.AddrPortFrom(group, proto.SAPPort))
			if err != nil && !failed {
				log.Warn("cannot announce the stream, trying again", "group", group, "reason", err)
			}
			failed = err != nil
		}
	}
	s.start()
	return s, nil
}

// prepare makes the socket send to groups by way of a network interface, as far as
// ttl routers away (ip(7)).
func prepare(raw syscall.RawConn, device string, ttl int) error {
	index := 0
	if device != "" {
		found, err := net.InterfaceByName(device)
		if err != nil {
			return fmt.Errorf("interface %s: %w", device, err)
		}
		index = found.Index
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
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
	s.news, s.over, s.done = make(chan proto.Announcement), make(chan struct{}), make(chan struct{})
	go s.run()
}

// say makes a the announcement, in place of the one before.
func (s *speaker) say(a proto.Announcement) {
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
	var current *proto.Announcement
	withdraw := func() {
		if current != nil {
			gone := *current
			gone.Delete = true
			s.send(gone.Marshal())
		}
	}
	for {
		select {
		case <-s.over:
			withdraw()
			return
		case a := <-s.news:
			if current != nil && bytes.Equal(current.SDP, a.SDP) {
				continue
			}
			withdraw()
			current = &a
			s.send(a.Marshal())
		case <-s.tick:
			if current != nil {
				s.send(current.Marshal())
			}
		}
	}
}

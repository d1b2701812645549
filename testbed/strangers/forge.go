package strangers

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// forger sends UDP from an address that is not the machine's own (raw(7), IP_HDRINCL).
type forger struct {
	socket int
	from   netip.AddrPort
}

// forge makes datagrams of from, whoever that is. It needs root.
func (s Stranger) forge(from netip.AddrPort) (f *forger, err error) {
	f = &forger{from: from}
	err = s.Machine.Inside(func() (err error) {
		f.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		return err
	})
	return f, err
}

// Close ends it.
func (f *forger) Close() error { return unix.Close(f.socket) }

const ipBytes, udpBytes = 20, 8

// send leaves both checksums out: the kernel fills in that of IPv4, and 0 in UDP's
// says that there is none (RFC 768).
func (f *forger) send(to netip.AddrPort, datagram []byte) error {
	packet := make([]byte, ipBytes+udpBytes, ipBytes+udpBytes+len(datagram))
	source, destination := f.from.Addr().As4(), to.Addr().As4()
	packet[0], packet[8], packet[9] = 4<<4|ipBytes/4, 64, unix.IPPROTO_UDP
	copy(packet[12:], source[:])
	copy(packet[16:], destination[:])
	udp := packet[ipBytes:]
	binary.BigEndian.PutUint16(udp, f.from.Port())
	binary.BigEndian.PutUint16(udp[2:], to.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(udpBytes+len(datagram)))
	return unix.Sendto(f.socket, append(packet, datagram...), 0, &unix.SockaddrInet4{Addr: destination})
}

// unreachable is what a machine says when nobody listens at a UDP port of it (RFC 792,
// type 3, code 3), about a datagram that went from one address to another.
func unreachable(about, to netip.AddrPort) []byte {
	source, destination := about.Addr().As4(), to.Addr().As4()
	b := make([]byte, icmpBytes+ipBytes+udpBytes)
	b[0], b[1] = 3, 3
	ip := b[icmpBytes:]
	ip[0], ip[8], ip[9] = 4<<4|ipBytes/4, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(ip[2:], ipBytes+udpBytes+100)
	copy(ip[12:], source[:])
	copy(ip[16:], destination[:])
	binary.BigEndian.PutUint16(ip[ipBytes:], about.Port())
	binary.BigEndian.PutUint16(ip[ipBytes+2:], to.Port())
	binary.BigEndian.PutUint16(ip[ipBytes+4:], udpBytes+100)
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}

const icmpBytes = 8

// checksum is the internet's (RFC 1071), of an even number of bytes.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// NobodyThere tells a door, 20 times a second and in the name of its peer, that the peer
// does not listen.
func (s Stranger) NobodyThere(door, peer netip.AddrPort) Attack {
	return func(ctx context.Context) error {
		var socket int
		if err := s.Machine.Inside(func() (err error) {
			socket, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
			return err
		}); err != nil {
			return err
		}
		defer func() { _ = unix.Close(socket) }()
		source, destination := peer.Addr().As4(), door.Addr().As4()
		packet := make([]byte, ipBytes)
		packet[0], packet[8], packet[9] = 4<<4|ipBytes/4, 64, unix.IPPROTO_ICMP
		copy(packet[12:], source[:])
		copy(packet[16:], destination[:])
		packet = append(packet, unreachable(door, peer)...)
		return every(ctx, 50*time.Millisecond, func(int) error {
			return unix.Sendto(socket, packet, 0, &unix.SockaddrInet4{Addr: destination})
		})
	}
}

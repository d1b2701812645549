package strangers

import (
	"encoding/binary"
	"net/netip"

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

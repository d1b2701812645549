package endtoend

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"archibald-bridge/proto"
)

// hostileInterval is the pause between two datagrams to each end.
const hostileInterval = 2 * time.Millisecond

// Harass sends datagrams that have no business there to the media port of both
// ends, until stop is closed, and returns how many it sent.
func (r *Rig) Harass(stop <-chan struct{}) (sent int, err error) {
	socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		return 0, err
	}
	defer func() { _ = socket.Close() }()
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; ; i++ {
		select {
		case <-stop:
			return sent, nil
		case <-time.After(hostileInterval):
		}
		for _, role := range []proto.Role{proto.Guest, proto.Host} {
			to := netip.AddrPortFrom(netip.MustParseAddr(Address(role)), uint16(r.port))
			if _, err := socket.WriteToUDPAddrPort(hostile(random, i, role), to); err == nil {
				sent++
			}
		}
	}
}

// hostile makes the i-th datagram against an end: each is wrong in one way.
func hostile(random *rand.Rand, i int, victim proto.Role) []byte {
	peer := proto.Host
	if victim == proto.Host {
		peer = proto.Guest
	}
	d := make([]byte, 12+128*6)
	for k := range d {
		d[k] = byte(random.Uint32())
	}
	d[0], d[1] = 2<<6, proto.L24.PayloadType()
	binary.BigEndian.PutUint32(d[8:], proto.SSRC("", peer))
	switch i % 9 {
	case 0: // right in everything but where it comes from, and an SSRC that nobody can guess
	case 1:
		d[0] = 1 << 6 // version
	case 2:
		d[1] = 35 // payload type
	case 3:
		d[8]++ // SSRC
	case 4:
		d = d[:12+128*6-1] // not whole frames
	case 5:
		d = d[:random.IntN(12)] // no whole header
	case 6:
		d = append(d, make([]byte, 8000)...) // longer than any packet
	case 7:
		d[0] |= 0x3f // padding, extension and CSRCs that are not there
	case 8:
		d[1] = 200 // a sender report of nonsense
	}
	return d
}

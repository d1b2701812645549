package announce

import (
	"net"
	"net/netip"

	"archibald-bridge/bridge/network"
)

// ways is by which interface each machine is heard, by name: the stream is there where
// it is announced, which is not always where the routes send groups.
type ways map[netip.Addr]string

// mostWays bounds what strangers can make us remember.
const mostWays = 64

// note takes a packet of a machine. The first interface stays, for one machine may be
// heard by several, as long as it is there; moved says that it was not any more.
func (w *ways) note(from netip.Addr, index int) (moved bool) {
	was, known := (*w)[from]
	if known {
		if _, err := network.Interface(was); err == nil {
			return false
		}
	}
	now, err := net.InterfaceByIndex(index)
	if err != nil {
		return false
	}
	if *w == nil || len(*w) >= mostWays && !known {
		*w = ways{}
	}
	(*w)[from] = now.Name
	return known
}

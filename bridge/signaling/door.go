package signaling

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Bounds of the connections that are open at once. A legitimate exchange takes
// milliseconds.
const (
	maxConnections = 16
	maxOfAddress   = 8
)

// door lets in who may call. When too many connections are open, it closes the oldest one of
// the address that has the most. So holding connections gains nothing: a real call gets its
// answer long before enough others have come. The peer's connections are not closed for
// others.
type door struct {
	net.Listener
	entrance *entrance

	mu     sync.Mutex // guards inside
	inside []*visitor // in order of their coming
}

// visitor is one connection.
type visitor struct {
	net.Conn
	door  *door
	from  netip.Addr
	nonce string // of a secret's proof, used once; "": used
	asked bool   // for that proof
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(conn.RemoteAddr())
		if !d.entrance.admits(from) {
			_ = conn.Close()
			continue
		}
		v := &visitor{Conn: conn, door: d, from: from, nonce: newToken()}
		given := d.enter(v)
		if given != nil {
			d.entrance.crowded(given.from)
			_ = given.Close()
		}
		if given != v {
			return v, nil
		}
	}
}

// enter lets a visitor in, and returns the one that has to go for it, if one has.
func (d *door) enter(v *visitor) *visitor {
	d.mu.Lock()
	defer d.mu.Unlock()
	most, count := v.from, d.ofAddress(v.from)+1
	if count <= maxOfAddress && len(d.inside) < maxConnections {
		d.inside = append(d.inside, v)
		return nil
	}
	if count <= maxOfAddress {
		for _, other := range d.inside {
			if n := d.ofAddress(other.from); n > count && !d.entrance.favours(other.from) {
				most, count = other.from, n
			}
		}
		if count == 1 { // everybody has one: the oldest has had the longest
			for _, other := range d.inside {
				if !d.entrance.favours(other.from) {
					most = other.from
					break
				}
			}
		}
	}
	i := slices.IndexFunc(d.inside, func(other *visitor) bool {
		// In a network of IPv6 the peer shares its /64 with its neighbours.
		return sameHolder(other.from, most) && (other.from == v.from || !d.entrance.favours(other.from))
	})
	if i < 0 { // all others are favoured, which only this one is not
		return v
	}
	given := d.inside[i]
	d.inside = append(slices.Delete(d.inside, i, i+1), v)
	return given
}

// ofAddress counts the connections of whoever has that address.
func (d *door) ofAddress(from netip.Addr) int {
	n := 0
	for _, v := range d.inside {
		if sameHolder(v.from, from) {
			n++
		}
	}
	return n
}

// sameHolder says whether two addresses are one machine's, as far as can be told: who has
// an IPv6 address mostly has all of its /64 (RFC 6177), but for those of the link.
func sameHolder(a, b netip.Addr) bool {
	if a == b || a.Is4() || b.Is4() || a.IsLinkLocalUnicast() {
		return a == b
	}
	network, _ := a.Prefix(64)
	return network.Contains(b.WithZone(""))
}

func (d *door) leave(v *visitor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.inside, v); i >= 0 {
		d.inside = slices.Delete(d.inside, i, i+1)
	}
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	v.door.leave(v)
	return v.Conn.Close()
}

// newToken returns 128 bits that nobody can guess and that were never used before.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

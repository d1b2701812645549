package signaling

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"archibald-bridge/bridge/seldom"
	"archibald-bridge/proto"
)

// Gate says who may call.
type Gate struct {
	Role proto.Role // of the end that is called
	// Allow are the networks whose addresses may call, besides the peer's.
	Allow []netip.Prefix
	// Secret is what both ends of a session prove to each other that they have. Then
	// whoever does may call, from anywhere, and nobody else may. nil: nothing is proved.
	Secret []byte
}

// Rejected counts the calls that came to nothing, by reason.
type Rejected struct {
	Strangers uint64 // connections from addresses that may not call: closed at once
	Crowded   uint64 // connections given up for newer ones
	Unproven  uint64 // requests without a right proof of the secret
	Refused   uint64 // offers that were answered with no, for another reason
}

// entrance is the gate of one TCP socket, and what came to it.
type entrance struct {
	Gate
	log *slog.Logger

	mu        sync.Mutex // guards what follows
	peer      []netip.Addr
	guest     netip.Addr // of the last session's other end
	rejected  Rejected
	now       func() time.Time
	strangers seldom.Limit
	crowds    seldom.Limit
	refusals  errorLog
}

func newEntrance(gate Gate, log *slog.Logger) *entrance {
	return &entrance{
		Gate: gate, log: log, now: time.Now, strangers: seldom.Limit{Most: 1}, crowds: seldom.Limit{Most: 1},
		refusals: newErrorLog(log),
	}
}

// admits says whether a connection from that address is served, and notes it if not.
func (n *entrance) admits(from netip.Addr) bool {
	if n.Secret != nil || n.allowed(from) {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Contains(n.peer, from) {
		return true
	}
	n.rejected.Strangers++
	if n.strangers.Allow(n.now()) {
		n.log.Warn(fmt.Sprintf("%s may not call and got no answer%s; to let it: --allow %s", from, soDid(&n.strangers), n.withAllowed(from)))
	}
	return false
}

// allowed says whether an address is in one of the networks.
func (n *entrance) allowed(from netip.Addr) bool {
	from = from.WithZone("") // a prefix has none
	return slices.ContainsFunc(n.Allow, func(p netip.Prefix) bool { return p.Contains(from) })
}

// withAllowed is what allow has to be for that address to be let in.
func (n *entrance) withAllowed(from netip.Addr) string {
	var parts []string
	for _, prefix := range n.Allow {
		parts = append(parts, prefix.String())
	}
	return strings.Join(append(parts, from.WithZone("").String()), ",")
}

// favours says that an address is the peer's, or was that of the last session: its
// connections are not given up for those of others.
func (n *entrance) favours(from netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return from == n.guest || slices.Contains(n.peer, from)
}

// expect notes the addresses that the peer's name has now.
func (n *entrance) expect(peer []netip.Addr) {
	named := make([]netip.Addr, 0, len(peer))
	for _, addr := range peer {
		named = append(named, byName(addr))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.peer = named
}

// served notes with whom there is a session, and forgets why calls were refused: one
// was not.
func (n *entrance) served(guest netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.guest = guest
	n.refusals.clear()
}

// crowded takes note of a connection that was given up.
func (n *entrance) crowded(from netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rejected.Crowded++
	if n.crowds.Allow(n.now()) {
		n.log.Warn(fmt.Sprintf("too many connections at once: %s lost one%s", from, soDid(&n.crowds)))
	}
}

// refused takes note of an offer or a goodbye that was not accepted, and how it counts.
func (n *entrance) refused(r *refusal, why string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r == errSecretWanted || r == errOtherSecret {
		n.rejected.Unproven++
	} else {
		n.rejected.Refused++
	}
	n.refusals.note(why)
}

// satisfied forgets why calls were refused: there is a session.
func (n *entrance) satisfied() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refusals.clear()
}

// lastRefusal is why the last call was not answered; "" when none was refused.
func (n *entrance) lastRefusal() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.refusals.text()
}

func (n *entrance) counts() Rejected {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rejected
}

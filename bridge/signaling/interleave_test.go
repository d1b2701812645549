package signaling

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"archibald-bridge/proto"
)

// wire is one end in a world where every message can be held back: its call
// that is under way, between the steps that the real code takes.
type wire struct {
	*end
	peer      *wire
	calls     bool // an offer is under way
	offer     proto.Description
	delivered bool // the peer has dealt with it
	id        string
	answer    proto.Description
	err       error
	has       string // the session, as the last step left it
}

// look notes which session each end has: an end cannot be asked while it asks.
func look(ends []*wire) {
	for _, w := range ends {
		s, _ := w.Current()
		w.has = s.ID
	}
}

func (w *wire) canCall() bool {
	_, up := w.Current()
	return !up && !w.calls
}

// restless says that the end is not yet content.
func (w *wire) restless() bool { return w.calls || w.check || w.canCall() }

// step takes the call one step further.
func (w *wire) step(t *testing.T, loseReply bool) string {
	switch {
	case !w.calls && w.canCall():
		w.offer, w.calls, w.delivered = offerOf(t, w.end), true, false
		return "offers"
	case w.calls && !w.delivered:
		w.id, w.answer, w.err = w.peer.Endpoint.answer(w.offer, call{from: netip.MustParseAddrPort("127.0.0.79:40000"), at: hostIP, replaces: w.last()})
		w.delivered = true
		return fmt.Sprintf("is answered: %v", w.err)
	case w.check && !w.calls:
		id := w.session.ID
		if !w.peer.knows(id) {
			w.checked(id, errUnknown)
			return "finds its session unknown"
		}
		w.checked(id, nil)
		return "finds its session known"
	case w.calls:
		w.calls = false
		if w.err != nil || loseReply {
			w.abort(!loseReply)
			return "has no success"
		}
		w.finish(sessionOf(t, w.id, w.offer, w.answer), w.answer.Revision, 0)
		return "has the answer"
	}
	return ""
}

func TestNoOrderOfMessagesLeavesTwoDifferentSessions(t *testing.T) {
	guestEnd, hostEnd := glarePair(t)
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		guest, host := &wire{end: guestEnd}, &wire{end: hostEnd}
		guest.peer, host.peer = host, guest
		// Media of a session flow while both ends have it. So an end that offers another
		// session has to know the one that it replaces.
		guestEnd.config.Live = func(id string) bool { return host.has == id }
		hostEnd.config.Live = func(id string) bool { return guest.has == id }
		ends := []*wire{guest, host}
		guest.Drop("next round")
		host.Drop("next round")
		look(ends)

		var story []string
		tell := func(w *wire, what string) {
			if what != "" {
				story = append(story, fmt.Sprintf("%s %s", w.local.Role, what))
			}
		}
		for range 5 + r.IntN(25) { // a time of trouble
			w := ends[r.IntN(2)]
			if r.IntN(5) == 0 {
				w.Drop("trouble")
				look(ends)
				tell(w, "drops")
				continue
			}
			tell(w, w.step(t, r.IntN(4) == 0))
			look(ends)
		}
		for n := 0; guest.restless() || host.restless(); n++ {
			if n > 200 {
				t.Fatalf("seed %d: they find no session: %q", seed, story[len(story)-20:])
			}
			w := ends[r.IntN(2)]
			tell(w, w.step(t, false))
			look(ends)
		}
		g, _ := guest.Current()
		h, _ := host.Current()
		if g.ID != h.ID || g.Called == h.Called {
			t.Fatalf("seed %d: guest has %.6s (called %v), host has %.6s (called %v) after %q",
				seed, g.ID, g.Called, h.ID, h.Called, story)
		}
	}
}

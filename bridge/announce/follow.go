package announce

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/network"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// Page is where the user sees what is waited for.
type Page interface {
	Await(what string)
	Status() status.Status
}

// Stream is an announced stream to receive.
type Stream struct {
	proto.Description
	Interface string // that it was announced by; "": not known
}

// Receiver is an end that receives one stream until its context ends.
type Receiver func(context.Context) error

// Where says where announcements are heard.
type Where struct {
	Interface string     // the only one; "": all that have multicast
	Listen    netip.Addr // that streams are received at: groups of IPv6 are heard where it has them
}

// Follow runs an end with the stream that is announced as wanted, and another end when
// another stream is: receive makes it, or says why the stream cannot be received. Follow
// waits for the first announcement; wait is how long at most, 0 forever.
func Follow(ctx context.Context, wanted Wanted, where Where, wait time.Duration, log *slog.Logger, net *network.Keeper, page Page,
	receive func(Stream) (Receiver, error),
) error {
	v6 := !where.Listen.Unmap().Is4() || slices.ContainsFunc(wanted.Networks, func(n netip.Prefix) bool { return n.Addr().Is6() })
	ears, err := listen(where.Interface, v6)
	if err != nil {
		return err
	}
	defer ears.close()
	leave, err := net.Add(ears.need())
	defer leave()
	if err != nil {
		return err
	}
	streams := make(chan Stream)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	h := hearing{log: log, page: page, wanted: wanted, packets: ears.packets, tick: ticker.C, streams: streams}
	go h.run(ctx)

	page.Await(waitingFor(wanted.Name))
	log.Info("waiting for the announcement of a stream", "name", wanted.Name)
	r := runs{name: wanted.Name, log: log, streams: streams, wait: wait, receive: receive}
	if wait > 0 {
		r.giveUp = time.After(wait)
	}
	return r.each(ctx)
}

// lookInterval is how often it is looked whether the stream received has ended.
const lookInterval = 500 * time.Millisecond

func waitingFor(name string) string { return "waiting for the announcement of " + name }

// hearing turns what is announced into the streams to receive.
type hearing struct {
	log      *slog.Logger
	page     Page
	wanted   Wanted
	packets  <-chan packet
	tick     <-chan time.Time
	streams  chan<- Stream
	refusals refusals
	ways     ways
}

func (h *hearing) run(ctx context.Context) {
	f := follower{wanted: h.wanted, twins: func(received, other *stream) {
		h.log.Warn("two streams are announced under one name: receiving the first", "name", h.wanted.Name,
			"received", received, "not_received", other)
	}}
	for {
		changed := false
		select {
		case <-ctx.Done():
			return
		case <-h.tick:
			changed = f.look(time.Now(), h.page.Status().Directions.Receive.State == status.DirectionRunning)
		case p := <-h.packets:
			var err error
			if changed, err = f.hear(p.data, p.from, time.Now()); err != nil {
				h.refuse(p.from, err.Error())
			}
			moved := h.ways.note(p.from, p.index)
			changed = changed || moved && f.current != nil && f.current.id.from == p.from
		}
		if !changed {
			continue
		}
		s := f.current
		h.log.Info("stream announced", "name", h.wanted.Name, "announced_by", s.id.from, "group", s.Address, "port", s.Port)
		select {
		case h.streams <- Stream{s.Description, h.ways[s.id.from]}:
		case <-ctx.Done():
			return
		}
	}
}

// refuse tells why an announcement of the name is not taken.
func (h *hearing) refuse(from netip.Addr, reason string) {
	h.page.Await(waitingFor(h.wanted.Name) + ": one by " + from.String() + " cannot be received: " + reason)
	if h.refusals.new(reason, time.Now()) {
		h.log.Warn("the announced stream cannot be received", "name", h.wanted.Name, "announced_by", from, "reason", reason)
	}
}

// refusals keep the log short: whoever reaches the network can announce what is wrong
// in ever new ways.
type refusals struct {
	since time.Time
	told  []string // in the minute since then
}

func (r *refusals) new(reason string, now time.Time) bool {
	const most = 5
	if now.Sub(r.since) >= time.Minute {
		r.since, r.told = now, nil
	}
	if len(r.told) == most || slices.Contains(r.told, reason) {
		return false
	}
	r.told = append(r.told, reason)
	return true
}

// runs is one end after the other: each until the next stream is there.
type runs struct {
	name    string // of the stream
	log     *slog.Logger
	streams <-chan Stream
	wait    time.Duration
	giveUp  <-chan time.Time // after wait; nil: never
	receive func(Stream) (Receiver, error)
}

func (r runs) each(ctx context.Context) error {
	var now running // ended is nil before the first stream
	for {
		select {
		case <-ctx.Done():
			return now.end()
		case <-r.giveUp:
			return fmt.Errorf("stream %q: not announced in %s: %w", r.name, r.wait, fault.ErrNeverReached)
		case err := <-now.ended:
			now.stop()
			return err
		case stream := <-r.streams:
			r.giveUp = nil
			next, err := r.receive(stream)
			if err != nil {
				r.log.Warn("the announced stream cannot be received", "name", r.name, "reason", err)
				continue
			}
			if err := now.end(); err != nil {
				return err
			}
			now = begin(ctx, next)
		}
	}
}

// running is an end that runs.
type running struct {
	stop  context.CancelFunc
	ended chan error
}

func begin(ctx context.Context, receive Receiver) running {
	ctx, stop := context.WithCancel(ctx)
	r := running{stop, make(chan error, 1)}
	go func() { r.ended <- receive(ctx) }()
	return r
}

// end stops the end and waits for it.
func (r running) end() error {
	if r.ended == nil {
		return nil
	}
	r.stop()
	return <-r.ended
}

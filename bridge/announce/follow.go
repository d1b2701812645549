package announce

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"archibald-bridge/bridge/config"
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

// Follow runs an end with the stream that is announced under the name of
// config.SAPReceive, and runs it anew when another stream is announced under it. It
// waits for the first announcement as long as the configuration says.
func Follow(ctx context.Context, cfg config.Config, log *slog.Logger, net *network.Keeper, page Page, run func(context.Context, config.Config) error) error {
	v6 := !cfg.Listen.Addr().Unmap().Is4() || slices.ContainsFunc(cfg.SAPNetworks.Prefixes, func(n netip.Prefix) bool { return n.Addr().Is6() })
	ears, err := listen(cfg.MulticastInterface, v6)
	if err != nil {
		return err
	}
	defer ears.close()
	leave, err := net.Add(ears.need())
	defer leave()
	if err != nil {
		return err
	}
	streams := make(chan announced)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wanted := Wanted{Name: proto.SessionName(cfg.SAPReceive), Networks: cfg.SAPNetworks.Prefixes}
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	h := hearing{log: log, page: page, wanted: wanted, packets: ears.packets, tick: ticker.C, streams: streams}
	go h.run(ctx)

	page.Await(waitingFor(cfg.SAPReceive))
	log.Info("waiting for the announcement of a stream", "name", cfg.SAPReceive)
	var giveUp <-chan time.Time
	if wait := cfg.Wait.Duration; wait > 0 {
		giveUp = time.After(wait)
	}
	return runEach(ctx, cfg, log, streams, giveUp, run)
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
	streams  chan<- announced
	refusals refusals
	ways     ways
}

// announced is a stream to receive, and by which interface it was announced.
type announced struct {
	proto.Description
	device string // "": not known
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
		case h.streams <- announced{s.Description, h.ways[s.id.from]}:
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

// running is an end that runs.
type running struct {
	stop  context.CancelFunc
	ended chan error
}

// runEach runs one end after the other: each until the next stream is there.
func runEach(ctx context.Context, cfg config.Config, log *slog.Logger, streams <-chan announced, giveUp <-chan time.Time,
	run func(context.Context, config.Config) error,
) error {
	var now running // ended is nil before the first stream
	for {
		select {
		case <-ctx.Done():
			return now.end()
		case <-giveUp:
			return fmt.Errorf("stream %q: not announced in %s: %w", cfg.SAPReceive, cfg.Wait.Duration, fault.ErrNeverReached)
		case err := <-now.ended:
			now.stop()
			return err
		case stream := <-streams:
			giveUp = nil
			next, err := receiving(cfg, stream)
			if err != nil {
				log.Warn("the announced stream cannot be received", "name", cfg.SAPReceive, "reason", err)
				continue
			}
			if err := now.end(); err != nil {
				return err
			}
			now.ended = make(chan error, 1)
			var endCtx context.Context
			endCtx, now.stop = context.WithCancel(ctx)
			go func(ended chan<- error) { ended <- run(endCtx, next) }(now.ended)
		}
	}
}

// receiving is the configuration with a stream, received where it is announced, unless
// the user says otherwise.
func receiving(cfg config.Config, stream announced) (config.Config, error) {
	next, err := cfg.Receiving(stream.Description)
	sends := next.Peer != config.Peer{} // by the same interface
	if next.MulticastInterface == "" && !sends && !network.RouteChosen(stream.Address) {
		next.MulticastInterface = stream.device
	}
	return next, err
}

// end stops the end and waits for it.
func (r running) end() error {
	if r.ended == nil {
		return nil
	}
	r.stop()
	return <-r.ended
}

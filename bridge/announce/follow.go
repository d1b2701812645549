package announce

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"archibald-bridge/bridge/config"
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
	streams := make(chan proto.Description)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wanted := Wanted{Name: cfg.SAPReceive, Networks: cfg.SAPNetworks.Prefixes}
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	sounds := func() bool { return page.Status().Directions.Receive.State == status.DirectionRunning }
	go follow(ctx, wanted, ears.packets, ticker.C, sounds, log, streams)

	page.Await("waiting for the announcement of " + cfg.SAPReceive)
	log.Info("waiting for the announcement of a stream", "name", cfg.SAPReceive)
	var giveUp <-chan time.Time
	if wait := cfg.Wait.Duration; wait > 0 {
		giveUp = time.After(wait)
	}
	return runEach(ctx, cfg, log, streams, giveUp, run)
}

// lookInterval is how often it is looked whether the stream received has ended.
const lookInterval = 500 * time.Millisecond

// follow turns packets into the streams to receive.
func follow(ctx context.Context, wanted Wanted, packets <-chan packet, tick <-chan time.Time, sounds func() bool,
	log *slog.Logger, streams chan<- proto.Description,
) {
	f := follower{wanted: wanted, twins: func(received, other *stream) {
		log.Warn("two streams are announced under one name: receiving the first", "name", wanted.Name,
			"received", received, "not_received", other)
	}}
	refused, refusedAt := "", time.Time{}
	for {
		changed := false
		select {
		case <-ctx.Done():
			return
		case <-tick:
			changed = f.look(time.Now(), sounds())
		case p := <-packets:
			var err error
			changed, err = f.hear(p.data, p.from, time.Now())
			if err != nil && (err.Error() != refused && time.Since(refusedAt) > time.Second || time.Since(refusedAt) > time.Minute) {
				refused, refusedAt = err.Error(), time.Now()
				log.Warn("the announced stream cannot be received", "name", wanted.Name, "announced_by", p.from, "reason", err)
			}
		}
		if !changed {
			continue
		}
		s := f.current
		log.Info("stream announced", "name", wanted.Name, "announced_by", s.id.from, "group", s.Address, "port", s.Port)
		select {
		case streams <- s.Description:
		case <-ctx.Done():
			return
		}
	}
}

// running is an end that runs.
type running struct {
	stop  context.CancelFunc
	ended chan error
}

// runEach runs one end after the other: each until the next stream is there.
func runEach(ctx context.Context, cfg config.Config, log *slog.Logger, streams <-chan proto.Description, giveUp <-chan time.Time,
	run func(context.Context, config.Config) error,
) error {
	var now running // ended is nil before the first stream
	for {
		select {
		case <-ctx.Done():
			return now.end()
		case <-giveUp:
			return fmt.Errorf("stream %q: not announced in %s: %w", cfg.SAPReceive, cfg.Wait.Duration, config.ErrNeverReached)
		case err := <-now.ended:
			now.stop()
			return err
		case stream := <-streams:
			giveUp = nil
			next, err := cfg.Receiving(stream)
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

// end stops the end and waits for it.
func (r running) end() error {
	if r.ended == nil {
		return nil
	}
	r.stop()
	return <-r.ended
}

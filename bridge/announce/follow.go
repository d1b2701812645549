package announce

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"archibald-bridge/bridge/config"
	"archibald-bridge/proto"
)

// Follow runs an end with the stream that is announced under the name of
// config.SAPReceive, and runs it anew when another stream is announced under it. It
// waits for the first announcement as long as the configuration says.
func Follow(ctx context.Context, cfg config.Config, log *slog.Logger, run func(context.Context, config.Config) error) error {
	packets, stop, err := listen(cfg.MulticastInterface)
	if err != nil {
		return err
	}
	defer stop()
	streams := make(chan proto.Description)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wanted := Wanted{Name: cfg.SAPReceive, Networks: cfg.SAPNetworks.Prefixes}
	go follow(ctx, wanted, packets, time.Now, log, streams)

	log.Info("waiting for the announcement of a stream", "name", cfg.SAPReceive)
	var giveUp <-chan time.Time
	if wait := cfg.Wait.Duration; wait > 0 {
		giveUp = time.After(wait)
	}
	return runEach(ctx, cfg, log, streams, giveUp, run)
}

// packet is what came in on one of the groups.
type packet struct {
	data []byte
	from netip.Addr
}

// listen joins the groups of announcements.
func listen(device string) (<-chan packet, func(), error) {
	var through *net.Interface
	if device != "" {
		var err error
		if through, err = net.InterfaceByName(device); err != nil {
			return nil, nil, fmt.Errorf("multicast interface %s: %w", device, err)
		}
	}
	packets, over := make(chan packet), make(chan struct{})
	var sockets []*net.UDPConn
	stop := func() {
		close(over)
		for _, socket := range sockets {
			_ = socket.Close()
		}
	}
	for _, group := range proto.SAPGroups {
		socket, err := net.ListenMulticastUDP("udp4", through, net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, proto.SAPPort)))
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("announcements in %s: %w", group, err)
		}
		sockets = append(sockets, socket)
		go receive(socket, packets, over)
	}
	return packets, stop, nil
}

// receive passes on what comes, until its socket is closed.
func receive(socket *net.UDPConn, packets chan<- packet, over <-chan struct{}) {
	buf := make([]byte, proto.MaxAnnouncementBytes+1)
	for {
		n, from, err := socket.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		select {
		case packets <- packet{append([]byte(nil), buf[:n]...), from.Addr().Unmap()}:
		case <-over:
			return
		}
	}
}

// follow turns packets into the streams to receive.
func follow(ctx context.Context, wanted Wanted, packets <-chan packet, now func() time.Time, log *slog.Logger, streams chan<- proto.Description) {
	f := follower{wanted: wanted}
	refused := ""
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-packets:
			changed, err := f.hear(p.data, p.from, now())
			if err != nil && err.Error() != refused {
				refused = err.Error()
				log.Warn("the announced stream cannot be received", "name", wanted.Name, "announced_by", p.from, "reason", err)
			}
			if !changed {
				continue
			}
			log.Info("stream announced", "name", wanted.Name, "announced_by", p.from, "group", f.current.Address, "port", f.current.Port)
			select {
			case streams <- f.current:
			case <-ctx.Done():
				return
			}
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

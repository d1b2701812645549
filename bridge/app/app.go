// Package app puts an end together: network, sockets, the real-time core, the audio
// server and the session, for either role and on any backend. What a role is, packages
// guest and host say.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"

	"archibald-bridge/bridge/announce"
	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/codec/libopus"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/guests"
	"archibald-bridge/bridge/jitterstore"
	"archibald-bridge/bridge/kvmclock"
	"archibald-bridge/bridge/network"
	"archibald-bridge/bridge/realtime"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/session"
	"archibald-bridge/bridge/status"
	"archibald-bridge/proto"
)

// Role is what tells the two ends apart.
type Role struct {
	Name proto.Role
	Peer proto.Role // whom the nodes are named after
	// Source makes what plays the peer's sound a source to record from, where the backend
	// can.
	Source func(config.Config) bool
	// Patchbay makes what keeps the user's connections, where the backend has ports to
	// connect; nil: this end keeps none.
	Patchbay func(config.Config, *slog.Logger) (Patchbay, error)
	// HostClock says whether this end may be able to read the clock of the machine that
	// the other one runs on.
	HostClock bool
	// Hint is what else can be done where the backend that this end has by default never
	// comes; "": nothing.
	Hint string
}

// Patchbay keeps connections between the ports of an audio server.
type Patchbay interface {
	audio.Control
	// Unmatched lists the rules that have matched no ports for long, each with the
	// reason.
	Unmatched() []string
}

// end is what is the same for every stream that an end receives in its life.
type end struct {
	role    Role
	backend audio.Backend
	log     *slog.Logger
	net     *network.Keeper
	page    *status.Page
}

// Runner runs ends of a role; see Run.
func Runner(role Role) func(context.Context, config.Config, *slog.Logger) error {
	return func(ctx context.Context, cfg config.Config, log *slog.Logger) error { return Run(ctx, role, cfg, log) }
}

// Run is the end of a role until ctx ends.
func Run(ctx context.Context, role Role, cfg config.Config, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	backend, _ := audio.Named(cfg.Backend) // the configuration was checked
	e := &end{role: role, backend: backend, log: log, net: network.Keep(ctx, log)}
	e.page = status.OpenPage(string(role.Name), cfg.Name, cfg.Peer.String(), cfg.StatusListen.AddrPort, log, e.net.Missing)
	defer e.page.Close()
	if cfg.SAPReceive == "" {
		return e.run(ctx, cfg)
	}
	wanted := announce.Wanted{Name: proto.SessionName(cfg.SAPReceive), Networks: cfg.SAPNetworks.Prefixes}
	where := announce.Where{Interface: cfg.MulticastInterface, Listen: cfg.Listen.Addr()}
	return announce.Follow(ctx, wanted, where, cfg.Wait.Duration, log, e.net, e.page, func(s announce.Stream) (announce.Receiver, error) {
		receiving, err := receiving(cfg, s)
		return func(ctx context.Context) error { return e.run(ctx, receiving) }, err
	})
}

// receiving is the configuration with an announced stream, received where it is announced,
// unless the user says otherwise.
func receiving(cfg config.Config, s announce.Stream) (config.Config, error) {
	next, err := cfg.Receiving(s.Description)
	sends := next.Peer != config.Peer{} // by the same interface
	if next.MulticastInterface == "" && !sends && !network.RouteChosen(s.Address) {
		next.MulticastInterface = s.Interface
	}
	return next, err
}

// run is an end that knows what it receives, or serves several guests.
func (e *end) run(ctx context.Context, cfg config.Config) error {
	patchbay, err := e.patchbay(cfg)
	if err != nil {
		return err
	}
	if _, err := realtime.New(cfg, rt.MemoryLocked, e.log); err != nil {
		return err // before anything is waited for
	}
	if err := e.net.Listen(ctx, cfg); err != nil || ctx.Err() != nil {
		return err
	}
	engines, err := openEngines(cfg.MediaListen(), cfg.Guests)
	defer closeEngines(engines)
	if err != nil {
		return err
	}
	if !rt.MemoryLocked() {
		e.log.Warn("memory not locked: paging can cause dropouts; raise the memlock limit (ulimit -l)")
	}
	if cfg.Guests > 1 {
		return e.serveGuests(ctx, cfg, engines)
	}
	leave, err := e.net.Multicast(ctx, cfg, engines[0].UseMulticast)
	defer leave()
	if err != nil || ctx.Err() != nil {
		return err
	}
	parts, err := e.parts(cfg, engines[0], patchbay, e.log)
	if err != nil {
		return err
	}
	publisher := announce.NewPublisher(cfg, e.log, e.net)
	defer publisher.Close()
	parts.Publisher = publisher
	if e.role.HostClock {
		clock, err := kvmclock.Open()
		switch {
		case err == nil:
			defer func() { _ = clock.Close() }()
			parts.Host = clock
		case !errors.Is(err, kvmclock.ErrAbsent):
			e.log.Info("the host's clock cannot be read: one-way latency by round trips", "reason", err)
		}
	}
	end := session.New(Settings(cfg, e.role.Name), parts)
	defer e.net.Zone(cfg, end.Readdress)()
	defer e.page.Show(end.Status)()
	return end.Run(ctx)
}

// serveGuests is an end for each guest that calls, with an engine each.
func (e *end) serveGuests(ctx context.Context, cfg config.Config, engines []*rt.Engine) error {
	return guests.Serve(ctx, cfg.Guests, Settings(cfg, e.role.Name), e.log, e.page, func(slot int, settings session.Settings) (*session.End, error) {
		settings.Listen = engines[slot].LocalAddr()
		guest := cfg
		guest.Name = settings.Name
		parts, err := e.parts(guest, engines[slot], nil, e.log.With("guest", guest.Name))
		if err != nil {
			return nil, err
		}
		parts.Shared = true
		return session.New(settings, parts), nil
	})
}

// patchbay is nil where the role or the backend has none.
func (e *end) patchbay(cfg config.Config) (Patchbay, error) {
	if e.role.Patchbay == nil || !e.backend.Patchbay {
		return nil, nil
	}
	return e.role.Patchbay(cfg, e.log)
}

// parts are what the end with that engine is made of. The patchbay may be nil.
func (e *end) parts(cfg config.Config, engine *rt.Engine, patchbay Patchbay, log *slog.Logger) (session.Parts, error) {
	machine, err := realtime.New(cfg, rt.MemoryLocked, log)
	if err != nil {
		return session.Parts{}, err
	}
	learned, err := jitterstore.Open(jitterstore.Path(os.Getenv, string(e.role.Name), cfg.Name))
	if err != nil {
		log.Warn("what was learned about peers is lost", "reason", err)
	}
	parts := session.Parts{Core: engine, Machine: machine, Server: e.backend.Title, Log: log, Memory: learned, Codec: libopus.Codec{}, Tap: engine}
	options := audio.Options{
		Log: log, Peer: string(e.role.Peer), Source: e.role.Source(cfg), Positions: cfg.ChannelMap.Positions,
		OutputDevice: cfg.OutputDevice, InputDevice: cfg.InputDevice,
	}
	if e.backend.NamedServer {
		options.Server, options.NetonePort = cfg.JackServer, cfg.NetonePort
		parts.Server += " " + cfg.JackServer
	}
	if patchbay != nil {
		options.Control, parts.Unmatched = patchbay, patchbay.Unmatched
	}
	if e.backend.Name == config.Default(e.role.Name).Backend {
		parts.Hint = e.role.Hint
	}
	parts.Audio, err = open(e.backend, engine.Callbacks(), options)
	return parts, err
}

// openEngines opens an engine for each guest, at one port after the other.
func openEngines(listen netip.AddrPort, guests int) (engines []*rt.Engine, err error) {
	for i := range guests {
		engine, err := rt.Open(netip.AddrPortFrom(listen.Addr(), listen.Port()+uint16(i)))
		if err != nil {
			return engines, err
		}
		engines = append(engines, engine)
	}
	return engines, nil
}

func closeEngines(engines []*rt.Engine) {
	for _, engine := range engines {
		engine.Close()
	}
}

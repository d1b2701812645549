package guest

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"archibald-bridge/bridge/announce"
	"archibald-bridge/bridge/app"
	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/codec/libopus"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/jitterstore"
	"archibald-bridge/bridge/kvmclock"
	"archibald-bridge/bridge/network"
	"archibald-bridge/bridge/patchbay"
	"archibald-bridge/bridge/realtime"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/session"
	"archibald-bridge/proto"
)

// Run is the guest end until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	net := network.Keep(ctx, log)
	page := session.OpenPage(app.Settings(cfg, proto.Guest), cfg.StatusListen.AddrPort, log, net.Missing)
	defer page.Close()
	one := func(ctx context.Context, cfg config.Config) error { return run(ctx, cfg, log, net, page) }
	if cfg.SAPReceive != "" {
		return announce.Follow(ctx, cfg, log, net, page, one)
	}
	return one(ctx, cfg)
}

// run is an end that knows what it receives.
func run(ctx context.Context, cfg config.Config, log *slog.Logger, net *network.Keeper, page *session.Page) error {
	rules := make([]patchbay.Rule, 0, len(cfg.Connect))
	for _, text := range cfg.Connect {
		rule, err := patchbay.ParseRule(text)
		if err != nil {
			return err
		}
		rules = append(rules, rule)
	}
	patchbay, err := NewPatchbay(cfg.JackServer, cfg.Name, rules, log)
	if err != nil {
		return err
	}
	quiet, err := realtime.New(cfg, rt.MemoryLocked, log)
	if err != nil {
		return err
	}
	if err := net.Listen(ctx, cfg); err != nil || ctx.Err() != nil {
		return err
	}
	engine, err := rt.Open(cfg.MediaListen())
	if err != nil {
		return err
	}
	defer engine.Close()
	leave, err := net.Multicast(ctx, cfg, engine.UseMulticast)
	defer leave()
	if err != nil || ctx.Err() != nil {
		return err
	}
	if !rt.MemoryLocked() {
		log.Warn("memory not locked: paging can cause dropouts; raise the memlock limit (ulimit -l)")
	}
	learned, err := jitterstore.Open(jitterstore.Path(os.Getenv, string(proto.Guest), cfg.Name))
	if err != nil {
		log.Warn("what was learned about peers is lost", "reason", err)
	}
	audio := jack.New(engine.Callbacks(), jack.Options{ServerName: cfg.JackServer, Control: patchbay})
	parts := session.Parts{Core: engine, Audio: audio, Machine: quiet, Server: "JACK server " + cfg.JackServer, Log: log, Memory: learned, Codec: libopus.Codec{}, Tap: engine,
		Unmatched: patchbay.Unmatched}
	publisher := announce.NewPublisher(cfg, log, net)
	defer publisher.Close()
	parts.Publisher = publisher
	if clock, err := kvmclock.Open(); err == nil {
		defer func() { _ = clock.Close() }()
		parts.Host = clock
	} else if !errors.Is(err, kvmclock.ErrAbsent) {
		log.Info("the host's clock cannot be read: one-way latency by round trips", "reason", err)
	}
	end := session.New(app.Settings(cfg, proto.Guest), parts)
	defer net.Zone(cfg, end.Readdress)()
	return session.Serve(ctx, end, page)
}

package guest

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"archibald-bridge/bridge/announce"
	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/hosttime"
	"archibald-bridge/bridge/machine"
	"archibald-bridge/bridge/memory"
	"archibald-bridge/bridge/opus/libopus"
	"archibald-bridge/bridge/patch"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/session"
	"archibald-bridge/proto"
)

// Run is the guest end until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if cfg.SAPReceive != "" && cfg.Incoming == nil {
		return announce.Follow(ctx, cfg, log, func(ctx context.Context, cfg config.Config) error { return Run(ctx, cfg, log) })
	}
	rules := make([]patch.Rule, 0, len(cfg.Connect))
	for _, text := range cfg.Connect {
		rule, err := patch.ParseRule(text)
		if err != nil {
			return err
		}
		rules = append(rules, rule)
	}
	patchbay, err := NewPatchbay(cfg.JackServer, cfg.Name, rules, log)
	if err != nil {
		return err
	}
	quiet, err := machine.New(cfg, rt.MemoryLocked, log)
	if err != nil {
		return err
	}
	engine, err := rt.Open(cfg.Listen.AddrPort)
	if err != nil {
		return err
	}
	defer engine.Close()
	group, source := cfg.Group()
	if err := engine.UseMulticast(rt.Multicast{Interface: cfg.MulticastInterface, TTL: cfg.MulticastTTL, Group: group, Source: source}); err != nil {
		return err
	}
	if !rt.MemoryLocked() {
		log.Warn("memory not locked: paging can cause dropouts; raise the memlock limit (ulimit -l)")
	}
	learned, err := memory.Open(memory.Path(os.Getenv, string(proto.Guest), cfg.Name))
	if err != nil {
		log.Warn("what was learned about peers is lost", "reason", err)
	}
	core := jack.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
	audio := jack.New(core, jack.Options{ServerName: cfg.JackServer, Control: patchbay})
	parts := session.Parts{Core: engine, Audio: audio, Machine: quiet, Server: "JACK server " + cfg.JackServer, Log: log, Memory: learned, Codec: libopus.Codec{}}
	publisher, err := announce.NewPublisher(cfg, log)
	if err != nil {
		return err
	}
	defer publisher.Close()
	parts.Publisher = publisher
	if clock, err := hosttime.Open(); err == nil {
		defer func() { _ = clock.Close() }()
		parts.Host = clock
	} else if !errors.Is(err, hosttime.ErrAbsent) {
		log.Info("the host's clock cannot be read: one-way latency by round trips", "reason", err)
	}
	end := session.New(cfg, proto.Guest, parts)
	return session.Serve(ctx, end, cfg, log)
}

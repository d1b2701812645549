package host

import (
	"context"
	"log/slog"
	"os"

	"archibald-bridge/bridge/announce"
	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/audio/pipewire"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/machine"
	"archibald-bridge/bridge/memory"
	"archibald-bridge/bridge/opus/libopus"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/session"
	"archibald-bridge/proto"
)

// Run is the host end until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if cfg.SAPReceive != "" && cfg.Incoming == nil {
		return announce.Follow(ctx, cfg, log, func(ctx context.Context, cfg config.Config) error { return Run(ctx, cfg, log) })
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
	learned, err := memory.Open(memory.Path(os.Getenv, string(proto.Host), cfg.Name))
	if err != nil {
		log.Warn("what was learned about peers is lost", "reason", err)
	}
	parts := session.Parts{Core: engine, Machine: quiet, Log: log, Memory: learned, Codec: libopus.Codec{}}
	if cfg.SDPOut != "" || cfg.SAPAnnounce {
		publisher, err := announce.NewPublisher(cfg, log)
		if err != nil {
			return err
		}
		defer publisher.Close()
		parts.Publisher = publisher
	}
	switch cfg.Backend {
	case config.BackendJack:
		core := jack.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
		parts.Audio = jack.New(core, jack.Options{ServerName: cfg.JackServer, Peer: proto.Guest})
		parts.Server = "JACK server " + cfg.JackServer
	default:
		core := pipewire.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
		parts.Audio = pipewire.New(core, pipewire.Options{Source: cfg.FromGuest == config.FromGuestSource})
		parts.Server = "PipeWire"
	}
	return session.Serve(ctx, session.New(cfg, proto.Host, parts), cfg, log)
}

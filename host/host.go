package host

import (
	"context"
	"log/slog"

	"archibald-bridge/bridge/audio/pipewire"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/machine"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/session"
	"archibald-bridge/proto"
)

// Run is the host end until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	quiet, err := machine.New(cfg, rt.MemoryLocked, log)
	if err != nil {
		return err
	}
	engine, err := rt.Open(cfg.Listen.AddrPort)
	if err != nil {
		return err
	}
	defer engine.Close()
	if !rt.MemoryLocked() {
		log.Warn("memory not locked: paging can cause dropouts; raise the memlock limit (ulimit -l)")
	}
	core := pipewire.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
	options := pipewire.Options{Source: cfg.FromGuest == config.FromGuestSource}
	end := session.New(cfg, proto.Host, session.Parts{
		Core: engine, Audio: pipewire.New(core, options), Machine: quiet, Server: "PipeWire", Log: log,
	})
	return session.Serve(ctx, end, cfg, log)
}

package host

import (
	"context"
	"log/slog"
	"os"

	"archibald-bridge/bridge/audio/pipewire"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/memory"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/session"
	"archibald-bridge/proto"
)

// Run is the host end until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	engine, err := rt.Open(cfg.Listen.AddrPort)
	if err != nil {
		return err
	}
	defer engine.Close()
	if !rt.MemoryLocked() {
		log.Warn("memory not locked: paging can cause dropouts; raise the memlock limit (ulimit -l)")
	}
	learned, err := memory.Open(memory.Path(os.Getenv, string(proto.Host), cfg.Name))
	if err != nil {
		log.Warn("what was learned about peers is lost", "reason", err)
	}
	core := pipewire.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
	options := pipewire.Options{Source: cfg.FromGuest == config.FromGuestSource}
	end := session.New(cfg, proto.Host, session.Parts{
		Core: engine, Audio: pipewire.New(core, options), Server: "PipeWire", Log: log, Memory: learned,
	})
	return session.Serve(ctx, end, cfg, log)
}

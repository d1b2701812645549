package guest

import (
	"context"
	"log/slog"

	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/machine"
	"archibald-bridge/bridge/patch"
	"archibald-bridge/bridge/rt"
	"archibald-bridge/bridge/session"
	"archibald-bridge/proto"
)

// Run is the guest end until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) error {
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
	if !rt.MemoryLocked() {
		log.Warn("memory not locked: paging can cause dropouts; raise the memlock limit (ulimit -l)")
	}
	core := jack.Core{Engine: engine.Handle(), Playout: rt.Playout(), Capture: rt.Capture(), ABI: rt.ABI}
	audio := jack.New(core, jack.Options{ServerName: cfg.JackServer, Control: patchbay})
	end := session.New(cfg, proto.Guest, session.Parts{
		Core: engine, Audio: audio, Machine: quiet, Server: "JACK server " + cfg.JackServer, Log: log,
	})
	return session.Serve(ctx, end, cfg, log)
}

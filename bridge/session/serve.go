package session

import (
	"context"
	"log/slog"

	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/status"
)

// Serve runs the end with its status server. A status server that cannot listen
// is no reason to be without sound.
func Serve(ctx context.Context, end *End, cfg config.Config, log *slog.Logger) error {
	defer ServeStatus(cfg, log, end.Status)()
	return end.Run(ctx)
}

// ServeStatus serves the status until what it returns is called.
func ServeStatus(cfg config.Config, log *slog.Logger, source status.Source) (stop func()) {
	if !cfg.StatusListen.IsValid() {
		return func() {}
	}
	server, err := status.Listen(cfg.StatusListen.AddrPort, source)
	if err != nil {
		log.Warn("no status page", "reason", err)
		return func() {}
	}
	log.Info("status page", "url", "http://"+server.Addr().String()+"/")
	return func() { _ = server.Close() }
}

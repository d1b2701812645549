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
	if addr := cfg.StatusListen; addr.IsValid() {
		server, err := status.Listen(addr.AddrPort, end.Status)
		if err != nil {
			log.Warn("no status page", "reason", err)
		} else {
			log.Info("status page", "url", "http://"+server.Addr().String()+"/")
			defer func() { _ = server.Close() }()
		}
	}
	return end.Run(ctx)
}

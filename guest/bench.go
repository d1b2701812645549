package guest

import (
	"context"
	"errors"
	"fmt"

	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/bench"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/session"
)

var _ bench.Client = (*jack.Probe)(nil)

// Bench measures a path through the JACK server that options name.
func Bench(ctx context.Context, options bench.Options) (*bench.Report, error) {
	client, err := jack.OpenProbe(options.Server, bench.ClientName)
	if errors.Is(err, session.ErrServerAbsent) {
		return nil, fmt.Errorf("%w: %w", err, config.ErrNeverReached)
	}
	if err != nil {
		return nil, err
	}
	return bench.Run(ctx, client, options)
}

package app

import (
	"context"
	"errors"
	"fmt"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/audio/jack"
	"archibald-bridge/bridge/fault"
	"archibald-bridge/bridge/roundtrip"
)

var _ roundtrip.Client = (*jack.Probe)(nil)

// Bench measures a path through the JACK server that options name.
func Bench(ctx context.Context, options roundtrip.Options) (*roundtrip.Report, error) {
	client, err := jack.OpenProbe(options.Server, roundtrip.ClientName)
	if errors.Is(err, audio.ErrServerAbsent) {
		return nil, fmt.Errorf("%w: %w", err, fault.ErrNeverReached)
	}
	if err != nil {
		return nil, err
	}
	return roundtrip.Run(ctx, client, options)
}

package roundtrip

import (
	"errors"
	"fmt"

	"archibald-bridge/bridge/patchbay"
)

// wiring gives a Client the path for itself, and puts back what was there.
type wiring struct {
	client Client
	made   []patchbay.Connection
	parted []patchbay.Connection
}

// make connects the Client to the path's two ends, after it has parted them
// from everything else: other sound would be measured too, and what listens
// there would play the noise.
func (w *wiring) make(options Options) error {
	sources, err := w.client.Connections(options.To)
	if err != nil {
		return err
	}
	for _, source := range sources {
		if err := w.part(patchbay.Connection{Source: source, Sink: options.To}); err != nil {
			return err
		}
	}
	if options.From != "" {
		sinks, err := w.client.Connections(options.From)
		if err != nil {
			return err
		}
		for _, sink := range sinks {
			if err := w.part(patchbay.Connection{Source: options.From, Sink: sink}); err != nil {
				return err
			}
		}
		if err := w.connect(patchbay.Connection{Source: options.From, Sink: inPort}); err != nil {
			return err
		}
	}
	return w.connect(patchbay.Connection{Source: outPort, Sink: options.To})
}

func (w *wiring) part(c patchbay.Connection) error {
	if err := w.client.Disconnect(c.Source, c.Sink); err != nil {
		return err
	}
	w.parted = append(w.parted, c)
	return nil
}

func (w *wiring) connect(c patchbay.Connection) error {
	if err := w.client.Connect(c.Source, c.Sink); err != nil {
		return err
	}
	w.made = append(w.made, c)
	return nil
}

// undo also works after a make that failed half way. With a server that is gone
// there is nothing to put back.
func (w *wiring) undo() error {
	if w.client.Lost() {
		return nil
	}
	var failures []error
	for _, c := range w.made {
		// It goes with the client anyway; sooner is quieter.
		_ = w.client.Disconnect(c.Source, c.Sink)
	}
	for _, c := range w.parted {
		if err := w.client.Connect(c.Source, c.Sink); err != nil {
			failures = append(failures, fmt.Errorf("not put back: %s: %w", c, err))
		}
	}
	return errors.Join(failures...)
}

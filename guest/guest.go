// Package guest describes the guest end. By default it runs with JACK, as SuperCollider does.
// Its nodes are named after the host, and it has a patchbay for the user's connections.
// bridge/app puts it together.
package guest

import (
	"log/slog"

	"archibald-bridge/bridge/app"
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/patchbay"
	"archibald-bridge/proto"
)

// Role is the guest end.
var Role = app.Role{
	Name: proto.Guest,
	Peer: proto.Host,
	// What the host plays is for a synthesizer's inputs, as a microphone is: speakers that
	// play it by themselves would be a surprise.
	Source:    func(config.Config) bool { return true },
	Patchbay:  newPatchbay,
	HostClock: true,
}

func newPatchbay(cfg config.Config, log *slog.Logger) (app.Patchbay, error) {
	rules := make([]patchbay.Rule, 0, len(cfg.Connect))
	for _, text := range cfg.Connect {
		rule, err := patchbay.ParseRule(text)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return NewPatchbay(cfg.JackServer, cfg.Name, rules, log)
}

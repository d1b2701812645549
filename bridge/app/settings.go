package app

import (
	"archibald-bridge/bridge/config"
	"archibald-bridge/bridge/receive"
	"archibald-bridge/bridge/session"
	"archibald-bridge/proto"
)

// Settings are what a configuration says of an end in that role.
func Settings(cfg config.Config, role proto.Role) session.Settings {
	return session.Settings{
		Role: role, Name: cfg.Name,
		Peer: session.Peer(cfg.Peer), Listen: cfg.Listen.AddrPort, Allow: cfg.Allow.List, Secret: cfg.Secret, Wait: cfg.Wait.Duration,
		Static: cfg.Static, Incoming: cfg.Incoming,
		Format: cfg.Format, RateHz: cfg.Rate, SendChannels: cfg.SendChannels, ReceiveChannels: cfg.ReceiveChannels,
		PeriodFrames: cfg.PeriodFrames(), Ptime: cfg.Ptime.Duration, Bitrate: cfg.OpusBitrate,
		Terms:       proto.Terms{Redundancy: proto.Redundancy{Copies: cfg.Redundancy, Distance: cfg.RedundancyDistance}},
		Latency:     receive.Latency{Frames: cfg.Latency.Frames, Duration: cfg.Latency.Duration},
		GapsPerHour: cfg.GapsPerHour,
		Clock:       cfg.Clock, AnswerPeriods: cfg.Answers(), Driven: cfg.NetonePort != 0,
		MulticastTTL: cfg.MulticastTTL, OwnOrder: cfg.ChannelMap.Positions != nil,
	}
}

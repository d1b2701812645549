package session

import (
	"fmt"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// drive is what drives this end's graph.
type drive struct {
	graph  audio.Graph // that the peer's packets and a timer of ours drive; the zero Graph: it has its own clock
	toldNs int64       // when the session last counted on that
	err    error       // why it is not as the session, in which this end follows, needs it
}

// settleFor is how long a graph may take until it runs as it is driven.
const settleFor = time.Second

// follower is what drives the graph as the core says; ok is false where nothing does. The graph
// of an end that is one of several is nobody's to drive: they are in one graph, and each has
// another peer.
func (e *End) follower() (server audio.Follower, ok bool) {
	if e.shared != nil {
		return nil, false
	}
	server, ok = e.audio.(audio.Follower)
	return server, ok
}

// follows is at what the graph could be driven.
func (e *End) follows() proto.Follows {
	server, can := e.follower()
	if !can {
		return proto.FollowsNothing
	}
	only, can := server.Follows()
	switch {
	case !can:
		return proto.FollowsNothing
	case only != audio.Graph{}:
		return proto.FollowsOwn
	}
	return proto.FollowsAny
}

// driveAlways has the core's timer drive a graph that has no clock but ours, from when it is
// open until a session in which nobody leads: then and after it, the audio server's own
// thread starts the cycles (see drivePart). So its other clients play without a session, too.
func (e *End) driveAlways() error {
	server, can := e.follower()
	if !can || !e.settings.Driven {
		return nil
	}
	only, can := server.Follows()
	if !can {
		return nil
	}
	return e.driveAt(server, only)
}

// driveAt drives the graph at a rate and a period.
func (e *End) driveAt(server audio.Follower, graph audio.Graph) error {
	e.core.Follow(graph.RateHz, graph.PeriodFrames)
	e.drive.graph = graph
	return server.Follow(graph)
}

// drivePart makes the graph what the session needs: driven at the leader's rate and period,
// or with its own clock. It stays driven from session to session. changed says that it got
// its own clock back, with which nobody knows it yet.
func (e *End) drivePart() (changed bool) {
	if e.lock() != stream.Follows {
		e.drive.err = nil
		if e.settings.Driven {
			// The core starts no cycles and plays as with any clock; the thread that drives the
			// audio server keeps the pace by itself.
			e.drive.graph = audio.Graph{}
			e.core.Follow(0, 0)
		}
		return e.giveBack()
	}
	a := e.session.Agreement
	wanted := audio.Graph{RateHz: a.Receive.RateHz, PeriodFrames: a.PeriodFrames}
	tell := e.drive.graph != wanted || e.drive.err != nil
	if tell {
		e.drive.err = e.drivePeer(wanted)
	}
	if e.drive.err != nil {
		e.giveBack()
		return false
	}
	e.drive.toldNs = e.clock.monotonicNs()
	wanted.Freewheels = e.graph.Freewheels
	if tell || e.graph != wanted {
		e.takeGraph(wanted)
	}
	return false
}

// drivePeer drives the graph at the leader's rate and period. The error is for the user.
func (e *End) drivePeer(wanted audio.Graph) error {
	server, can := e.follower()
	only := audio.Graph{}
	if can && e.settings.Driven {
		only, _ = server.Follows()
	}
	if !can || e.settings.Driven && only != wanted {
		return fmt.Errorf("%s cannot follow at %d Hz with a period of %d frames", e.server, wanted.RateHz, wanted.PeriodFrames)
	}
	if asked := e.settings.RateHz; asked != 0 && asked != wanted.RateHz {
		return fmt.Errorf("the %s leads at %d Hz, --rate asks for %d Hz", e.settings.Role.Other(), wanted.RateHz, asked)
	}
	return e.driveAt(server, wanted)
}

// strays says that the graph, which is driven, does not run so; nil: it does.
func (e *End) strays(runs audio.Graph) error {
	led := e.drive.graph
	if runs.RateHz == led.RateHz && runs.PeriodFrames == led.PeriodFrames {
		return nil
	}
	why := ""
	if server, knows := e.audio.(audio.Troubled); knows {
		if reason := server.WhyPeriod(led.PeriodFrames, runs.PeriodFrames); reason != "" {
			why = ": " + reason
		}
	}
	return fmt.Errorf("%s runs at %d Hz with a period of %d frames, the %s, which leads, at %d Hz with %d frames%s",
		e.server, runs.RateHz, runs.PeriodFrames, e.settings.Role.Other(), led.RateHz, led.PeriodFrames, why)
}

// strayed says whether a graph that follows the leader's is not as that. It is given some time
// to become so. Then both streams are refused, and all is tried again.
func (e *End) strayed(graph audio.Graph) bool {
	if !e.streams.running || e.lock() != stream.Follows || e.drive.err != nil {
		return false
	}
	err := e.strays(graph)
	if now := e.clock.monotonicNs(); err != nil && time.Duration(now-e.drive.toldNs) >= settleFor {
		e.drive.err, e.graph = err, graph
		e.startReceiver()
		e.startSender()
		e.streams.retry.wait(now)
	}
	return err != nil
}

// giveBack lets the graph have its own clock again, if it has one. It says whether it did.
func (e *End) giveBack() bool {
	server, can := e.follower()
	if !can || e.settings.Driven || e.drive.graph == (audio.Graph{}) {
		return false
	}
	e.drive.graph = audio.Graph{}
	e.core.Follow(0, 0)
	err := server.Follow(audio.Graph{})
	if err != nil {
		e.log.Warn("the audio server does not get its own clock back", "server", e.server, "reason", err)
	}
	if e.audioOpen {
		e.takeGraph(e.audio.Graph())
	}
	if e.audioOpen && err == nil {
		e.tellFew("the graph has its own clock again", "server", e.server, "rate_hz", e.graph.RateHz, "period_frames", e.graph.PeriodFrames)
	}
	return true
}

// takeGraph takes what the graph is since it has another clock.
func (e *End) takeGraph(graph audio.Graph) {
	e.graph = graph
	e.core.SetGraph(e.graph.RateHz)
	e.describe()
}

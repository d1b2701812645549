package session

import (
	"errors"
	"fmt"
	"time"

	"archibald-bridge/bridge/audio"
	"archibald-bridge/proto"
)

// A server that throws us out again and again is opened less and less often: each
// wait is no longer than all that came before it.
const (
	reopenLeast = 50 * time.Millisecond
	reopenMost  = 30 * time.Second
	stableAfter = 10 * time.Second // of being open
)

// openAudio makes one attempt to open the audio server.
func (e *End) openAudio() {
	graph, err := e.audio.Open(e.audioConfig())
	if err == nil {
		if err = e.driveAlways(); err != nil {
			_ = e.audio.Close()
		}
	}
	if errors.Is(err, audio.ErrStartAnew) {
		e.unusable = err
		return
	}
	if err != nil {
		e.audioMissing(err.Error())
		if e.hint != "" && !e.everAudio && errors.Is(err, audio.ErrServerAbsent) {
			e.log.Warn(e.hint)
			e.hint = ""
		}
		e.nextOpenNs = e.clock.monotonicNs() + int64(e.openBackoff)
		e.openBackoff = min(2*e.openBackoff, audioRetryMost)
		return
	}
	e.log.Info("audio server open", "server", e.server, "rate_hz", graph.RateHz, "period_frames", graph.PeriodFrames)
	e.audioOpen, e.openedNs, e.openBackoff = true, e.clock.monotonicNs(), audioRetryLeast
	if e.adopt(graph) {
		e.stream()
	}
}

// audioMissing says why there is no audio server that can be used.
func (e *End) audioMissing(reason string) {
	e.local.Store(nil)
	e.missing.Store(&reason)
	if reason != e.audioError {
		e.audioError = reason
		if e.told.again(reason, e.clock.monotonicNs()) {
			e.log.Warn("waiting for the audio server", "reason", reason)
		}
	}
}

// adopt takes a graph that is new, or changed its rate, and says whether it is one to
// stream with. One at a rate that was not asked for is waited for with the nodes
// where they are: opening them again would change nothing, and what is patched to them
// stays.
func (e *End) adopt(graph audio.Graph) bool {
	e.graph = graph
	if !e.wanted(graph) {
		asks := "--rate asks for"
		if e.settings.Format == proto.Opus {
			asks = "--format opus needs"
		}
		e.audioMissing(fmt.Sprintf("%s runs at %d Hz, %s %d Hz", e.server, graph.RateHz, asks, e.settings.RateHz))
		return false
	}
	e.everAudio, e.audioError = true, ""
	e.core.SetGraph(graph.RateHz)
	e.describe()
	return true
}

// stream begins at the graph's rate as soon as there is somebody to stream to.
func (e *End) stream() {
	switch {
	case e.settings.Static:
		e.staticSession()
	case e.session != nil && e.outdated():
		e.signaling.Renegotiate() // it came back at another rate, or where one end leads with another period
	default:
		e.startStreams()
	}
}

// wanted says whether the graph has the rate that was asked for.
func (e *End) wanted(graph audio.Graph) bool {
	return e.settings.RateHz == 0 || graph.RateHz == e.settings.RateHz
}

// usable says whether the audio server is open, at a rate to stream at.
func (e *End) usable() bool { return e.audioOpen && e.audioError == "" }

func (e *End) audioConfig() audio.Config {
	return audio.Config{
		Name: e.settings.Name, SendChannels: e.settings.SendChannels, ReceiveChannels: e.settings.ReceiveChannels,
		RateHz: e.settings.RateHz, PeriodFrames: e.settings.PeriodFrames,
	}
}

func (e *End) audioEvent(event audio.Event) {
	if !e.audioOpen {
		return
	}
	switch event {
	case audio.Lost:
		e.log.Warn("audio server lost", "server", e.server)
		e.closeAudio()
	case audio.Changed:
		e.graphChanged(e.audio.Graph())
	}
}

// closeAudio lets go of the audio server, to open it again. The session stays.
func (e *End) closeAudio() {
	nowNs := e.clock.monotonicNs()
	e.stopStreams()
	_ = e.audio.Close()
	e.audioOpen, e.audioError = false, ""
	e.local.Store(nil)
	e.missing.Store(nil)
	if time.Duration(nowNs-e.openedNs) >= stableAfter {
		e.reopenBackoff = 0
	}
	e.nextOpenNs = nowNs + int64(e.reopenBackoff)
	e.reopenBackoff = min(max(2*e.reopenBackoff, reopenLeast), reopenMost)
}

// graphChanged is called after an event, and every now and then: what changes while
// nothing streams may be told by none.
func (e *End) graphChanged(graph audio.Graph) {
	if graph == e.graph {
		return
	}
	if graph.Freewheels != e.graph.Freewheels {
		e.graph.Freewheels = graph.Freewheels
		e.freewheelChanged()
		if graph == e.graph {
			return
		}
	}
	if e.strayed(graph) {
		return
	}
	e.log.Info("audio server changed", "rate_hz", graph.RateHz, "period_frames", graph.PeriodFrames)
	if graph.RateHz != e.graph.RateHz {
		e.stopStreams()
		if !e.adopt(graph) {
			return
		}
		if e.settings.Static {
			e.staticSession()
		} else {
			e.signaling.Renegotiate()
		}
		return
	}
	e.graph = graph
	if e.usable() {
		e.describe()
		e.periodChanged()
	}
}

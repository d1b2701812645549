package session

import (
	"errors"
	"fmt"

	"archibald-bridge/proto"
)

// openAudio makes one attempt to open the audio server.
func (e *End) openAudio() {
	graph, err := e.audio.Open(e.audioConfig())
	if err == nil && !e.wanted(graph) {
		_ = e.audio.Close()
		err = fmt.Errorf("%s runs at %d Hz, --rate asks for %d Hz", e.server, graph.RateHz, e.cfg.Rate)
		if e.cfg.Format == proto.Opus {
			err = fmt.Errorf("%s runs at %d Hz, --format opus needs %d Hz", e.server, graph.RateHz, e.cfg.Rate)
		}
	}
	if errors.Is(err, ErrStartAnew) {
		e.unusable = err
		return
	}
	if err != nil {
		if err.Error() != e.audioError {
			e.audioError = err.Error()
			e.log.Warn("waiting for the audio server", "reason", e.audioError)
			if e.hint != "" && !e.everAudio {
				e.log.Warn(e.hint)
				e.hint = ""
			}
		}
		e.nextOpenNs = e.clock.monotonicNs() + int64(e.openBackoff)
		e.openBackoff = min(2*e.openBackoff, audioRetryMost)
		return
	}
	e.log.Info("audio server open", "server", e.server, "rate_hz", graph.RateHz, "period_frames", graph.PeriodFrames)
	e.audioOpen, e.everAudio, e.audioError, e.openBackoff = true, true, "", audioRetryLeast
	e.graph = graph
	e.core.SetGraph(graph.RateHz)
	e.describe()
	switch {
	case e.cfg.Static:
		e.staticSession()
	case e.session != nil && e.session.Agreement.Send.RateHz != graph.RateHz:
		e.signaling.Renegotiate() // it came back at another rate
	default:
		e.streams.start()
	}
}

// wanted says whether the graph has the rate that was asked for.
func (e *End) wanted(graph Graph) bool { return e.cfg.Rate == 0 || graph.RateHz == e.cfg.Rate }

func (e *End) audioConfig() AudioConfig {
	return AudioConfig{
		Name: e.cfg.Name, SendChannels: e.cfg.SendChannels, ReceiveChannels: e.cfg.ReceiveChannels,
		RateHz: e.cfg.Rate, PeriodFrames: e.cfg.HostPeriod,
	}
}

func (e *End) audioEvent(event AudioEvent) {
	if !e.audioOpen {
		return
	}
	switch event {
	case AudioLost:
		e.log.Warn("audio server lost", "server", e.server)
		e.closeAudio()
	case AudioChanged:
		e.graphChanged(e.audio.Graph())
	}
}

// closeAudio lets go of the audio server, to open it again. The session stays.
func (e *End) closeAudio() {
	e.streams.stop()
	_ = e.audio.Close()
	e.audioOpen = false
	e.local.Store(nil)
	e.nextOpenNs = e.clock.monotonicNs()
}

func (e *End) graphChanged(graph Graph) {
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
	e.log.Info("audio server changed", "rate_hz", graph.RateHz, "period_frames", graph.PeriodFrames)
	if !e.wanted(graph) {
		e.closeAudio() // opening it says why it is of no use
		return
	}
	rateChanged := graph.RateHz != e.graph.RateHz
	e.graph = graph
	e.describe()
	if !rateChanged {
		e.streams.periodChanged()
		return
	}
	e.streams.stop()
	e.core.SetGraph(graph.RateHz)
	if e.cfg.Static {
		e.staticSession()
	} else {
		e.signaling.Renegotiate()
	}
}

package session

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"time"

	"archibald-bridge/bridge/report"
	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// Status is the present state, from any goroutine.
func (e *End) Status() status.Status {
	if s := e.snapshot.Load(); s != nil {
		return *s
	}
	return status.Status{}
}

// publish makes the snapshot that Status returns.
func (e *End) publish() {
	s := status.Status{
		End: string(e.settings.Role), Version: status.Version, Name: e.settings.Name,
		UptimeSeconds: math.Round(time.Duration(e.clock.monotonicNs()-e.startedNs).Seconds()*10) / 10,
		Audio:         e.audioStatus(),
		Machine:       e.machine.Status(),
		Session:       e.sessionStatus(),
	}
	s.Problems = e.assess(e.clock.monotonicNs())
	s.Directions.Send = e.sendStatus()
	s.Directions.Receive = e.receiveStatus()
	e.snapshot.Store(&s)
}

func (e *End) audioStatus() status.Audio {
	xruns := e.audio.Xruns()
	a := status.Audio{Server: e.server, State: status.AudioAbsent, Reason: e.audioError, Xruns: stream.Grown(xruns, e.streams.since.xruns), XrunsTotal: xruns}
	if e.audioOpen {
		a.State = status.AudioRunning
		if !e.usable() {
			a.State = status.AudioWaiting
		}
		a.Rate, a.PeriodFrames = e.graph.RateHz, e.graph.PeriodFrames
		policy, _ := e.audio.RealTime()
		a.Realtime = realtime(policy)
		if e.graph.Freewheels {
			a.State = status.AudioFreewheel
		}
	}
	return a
}

func (e *End) sessionStatus() status.Session {
	s := status.Session{State: status.SessionWaiting, Peer: e.settings.Peer.String(), LastError: e.audioError}
	if s.LastError == "" {
		s.LastError = e.peerError
	}
	if e.signaling != nil && s.LastError == "" {
		s.LastError = e.signaling.Status().LastError
	}
	if e.signaling != nil {
		s.RejectedCalls = status.RejectedCalls(e.signaling.Rejected())
	}
	if e.sessions > 1 {
		s.Reconnects = e.sessions - 1
	}
	if e.session == nil {
		return s
	}
	s.Peer, s.ID, s.Locked = e.peerName(), shownID(e.session.ID), e.lockedAs()
	if s.Locked == status.Leads {
		s.AnswerPeriods = e.answers.periods
	}
	switch {
	case !e.streams.running: // for the audio server, or for the end of it
	case !e.refused().none():
		s.State, s.LastError = status.SessionFailed, e.refused().reason()
	case e.settings.Static:
		s.State = status.SessionStatic
	default:
		s.State = status.SessionUp
	}
	return s
}

// shownID tells one session from others, the same at both ends, to all who can see the
// status. They could end or replace a session whose own id they knew.
func shownID(id string) string {
	digest := sha256.Sum256([]byte("archibald-bridge status " + id))
	return hex.EncodeToString(digest[:8])
}

func (e *End) direction(f proto.Format) status.Direction {
	return status.Direction{
		State: status.DirectionRunning, Peer: e.peerName(), Format: string(f.Encoding),
		Channels: f.Channels, Rate: f.RateHz,
	}
}

func (e *End) sendStatus() status.Direction {
	s, d := &e.streams, status.Direction{State: status.DirectionIdle}
	if s.send.Refused() != nil {
		d.State = status.DirectionFailed
	}
	if s.send.Running() {
		format := e.session.Agreement.Send
		d = e.direction(format)
		d.State = s.sendState()
		d.PacketFrames = s.send.PacketFrames(format, e.graph.PeriodFrames)
		d.PeakDBFS = peaks(s.counters.Sent.PeakLinear, format.Channels)
		if peer := s.reports.PeerLatency(); peer != nil {
			d.LatencyMs.Bridge, d.LatencyErrorMs = milliseconds(float64(peer.OneWay)), milliseconds(float64(peer.Error))
			d.LatencyBy = status.LatencyByPeer
		}
	}
	s.countSent(&d)
	return d
}

// sendState is failed where the kernel sends nothing, and silent where the graph runs
// no cycle.
func (s *streams) sendState() status.State {
	from, to, _, known := s.vitals.Window()
	switch {
	case !known || to.Sent.Packets > from.Sent.Packets:
	case to.Sent.SendErrors > from.Sent.SendErrors:
		return status.DirectionFailed
	case to.Sent.Cycles == from.Sent.Cycles:
		return status.DirectionSilent
	}
	return status.DirectionRunning
}

func (e *End) receiveStatus() status.Direction {
	s, d := &e.streams, status.Direction{State: status.DirectionIdle}
	got := s.counters.Received
	if s.receive.Refused() != nil {
		d.State = status.DirectionFailed
	}
	if s.receive.Running() {
		format := e.session.Agreement.Receive
		d = e.direction(format)
		if s.peer.silent || got.Packets == s.base.Received.Packets {
			d.State = status.DirectionSilent
		}
		d.PacketFrames = s.packetFrames
		d.PeakDBFS = peaks(got.PeakLinear, format.Channels)
	}
	s.countReceived(&d)
	if c := s.receive.Clock(); s.receive.Running() && c.Playing {
		d.BufferFrames, d.BufferTargetFrames, d.RatioPPM = c.DelayFrames, c.TargetFrames, c.RatioPPM
		d.JitterUs = status.Jitter{P50: c.PDVUs.P50, P99: c.PDVUs.P99, Max: c.PDVUs.Max}
		showLatency(&d, e.latency())
		d.LatencyReason = s.receive.LatencyReason()
	}
	return d
}

func showLatency(d *status.Direction, l report.Latency) {
	d.LatencyMs.Bridge = milliseconds(l.Stages.Sum())
	d.LatencyStagesMs = status.Stages{
		Capture: milliseconds(l.Stages.Capture), Packet: milliseconds(l.Stages.Packet), Codec: milliseconds(l.Stages.Codec), Wire: milliseconds(l.Stages.Wire),
		Wait: milliseconds(l.Stages.Wait), Resample: milliseconds(l.Stages.Resample), Playout: milliseconds(l.Stages.Playout),
	}
	if l.By != "" {
		d.LatencyErrorMs, d.LatencyBy = milliseconds(float64(l.ErrorNs)), l.By
	}
}

func milliseconds(ns float64) status.Milliseconds { return status.Milliseconds(ns / 1e6) }

func peaks(linear []float64, channels int) []status.Decibels {
	out := make([]status.Decibels, 0, channels)
	for _, p := range linear[:min(channels, len(linear))] {
		out = append(out, status.DecibelsOf(p))
	}
	return out
}

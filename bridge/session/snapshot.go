package session

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"time"

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
	s.Directions.Send = e.streams.sendStatus()
	s.Directions.Receive = e.streams.receiveStatus()
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
	s.Peer, s.ID = e.streams.peer(), shownID(e.session.ID)
	switch {
	case !e.streams.running: // for the audio server, or for the end of it
	case !e.streams.refused.none():
		s.State, s.LastError = status.SessionFailed, e.streams.refused.reason()
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

func (s *streams) direction(f proto.Format) status.Direction {
	return status.Direction{
		State: status.DirectionRunning, Peer: s.peer(), Format: string(f.Encoding),
		Channels: f.Channels, Rate: f.RateHz,
	}
}

func (s *streams) sendStatus() status.Direction {
	d := status.Direction{State: status.DirectionIdle}
	if s.refused.send != nil {
		d.State = status.DirectionFailed
	}
	if s.sending {
		d = s.direction(s.send)
		d.State = s.sendState()
		d.PacketFrames = s.end.packetFrames(s.send)
		d.PeakDBFS = peaks(s.counters.Sent.PeakLinear, s.send.Channels)
		if peer := s.reports.peerLatency; peer != nil {
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
	from, to, _, known := s.vitals.window()
	switch {
	case !known || to.Sent.Packets > from.Sent.Packets:
	case to.Sent.SendErrors > from.Sent.SendErrors:
		return status.DirectionFailed
	case to.Sent.Cycles == from.Sent.Cycles:
		return status.DirectionSilent
	}
	return status.DirectionRunning
}

func (s *streams) receiveStatus() status.Direction {
	d := status.Direction{State: status.DirectionIdle}
	got := s.counters.Received
	if s.refused.receive != nil {
		d.State = status.DirectionFailed
	}
	if s.receiving {
		d = s.direction(s.receive)
		if s.silent || got.Packets == s.base.Received.Packets {
			d.State = status.DirectionSilent
		}
		d.PacketFrames = s.packetFrames
		d.PeakDBFS = peaks(got.PeakLinear, s.receive.Channels)
	}
	s.countReceived(&d)
	if c := s.clockStatus; s.receiving && c.Playing {
		d.BufferFrames, d.BufferTargetFrames, d.RatioPPM = c.DelayFrames, c.TargetFrames, c.RatioPPM
		d.JitterUs = status.Jitter{P50: c.PDVUs.P50, P99: c.PDVUs.P99, Max: c.PDVUs.Max}
		s.showLatency(&d)
	}
	return d
}

func peaks(linear []float64, channels int) []status.Decibels {
	out := make([]status.Decibels, 0, channels)
	for _, p := range linear[:min(channels, len(linear))] {
		out = append(out, status.DecibelsOf(p))
	}
	return out
}

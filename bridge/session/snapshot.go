package session

import (
	"math"
	"time"

	"archibald-bridge/bridge/status"
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
		End: string(e.role), Version: status.Version, Name: e.cfg.Name,
		UptimeSeconds: math.Round(time.Duration(e.clock.monotonicNs()-e.startedNs).Seconds()*10) / 10,
		Audio:         e.audioStatus(),
		Machine:       e.machine.Status(),
		Session:       e.sessionStatus(),
	}
	s.Directions.Send = e.streams.sendStatus()
	s.Directions.Receive = e.streams.receiveStatus()
	e.snapshot.Store(&s)
}

func (e *End) audioStatus() status.Audio {
	a := status.Audio{Server: e.server, State: status.AudioAbsent, Xruns: e.audio.Xruns()}
	if e.audioOpen {
		a.State, a.Rate, a.PeriodFrames = status.AudioRunning, e.graph.RateHz, e.graph.PeriodFrames
		policy, _ := e.audio.RealTime()
		a.Realtime = policy == "SCHED_FIFO" || policy == "SCHED_RR"
		if e.graph.Freewheels {
			a.State = status.AudioFreewheel
		}
	}
	return a
}

func (e *End) sessionStatus() status.Session {
	s := status.Session{State: status.SessionWaiting, Peer: e.cfg.Peer.String(), LastError: e.audioError}
	if s.LastError == "" {
		s.LastError = e.peerError
	}
	if e.signaling != nil && s.LastError == "" {
		s.LastError = e.signaling.Status().LastError
	}
	if e.sessions > 1 {
		s.Reconnects = e.sessions - 1
	}
	if e.session != nil {
		s.State, s.Peer, s.ID = status.SessionUp, e.streams.peer(), e.session.ID
		if e.cfg.Static {
			s.State = status.SessionStatic
		}
	}
	return s
}

func (s *streams) direction(f proto.Format) status.Direction {
	return status.Direction{
		State: status.DirectionRunning, Peer: s.peer(), Format: string(f.Encoding),
		Channels: f.Channels, Rate: f.RateHz,
	}
}

func (s *streams) sendStatus() status.Direction {
	d := status.Direction{State: status.DirectionIdle}
	sent := s.counters.Sent
	if s.sending {
		d = s.direction(s.send)
		d.PeriodFrames = s.end.packetFrames(s.send)
		d.PeakDBFS = peaks(sent.PeakLinear, s.send.Channels)
		if s.reports.havePeer {
			d.Lost = uint64(max(0, s.reports.peer.CumulativeLost))
		}
		if peer := s.reports.peerLatency; peer != nil {
			d.LatencyMs.Bridge, d.LatencyErrorMs = milliseconds(float64(peer.OneWay)), milliseconds(float64(peer.Error))
			d.LatencyBy = status.LatencyByPeer
		}
	}
	d.Packets, d.Xruns = sent.Packets, sent.Skips
	return d
}

func (s *streams) receiveStatus() status.Direction {
	d := status.Direction{State: status.DirectionIdle}
	got := s.counters.Received
	if s.receiving {
		d = s.direction(s.receive)
		if s.silent || got.Packets == s.base.Received.Packets {
			d.State = status.DirectionSilent
		}
		d.PeriodFrames = s.packetFrames
		d.PeakDBFS = peaks(got.PeakLinear, s.receive.Channels)
	}
	d.Packets, d.Lost, d.Late, d.Duplicate = got.Packets, got.Lost, got.Late, got.Duplicate
	d.Recovered = got.Recovered
	d.ConcealedFrames, d.Dropouts, d.Xruns = got.ConcealedFrames, got.Dropouts, got.Skips
	d.Rejected = rejected(got)
	if c := s.clockStatus; s.receiving && c.Playing {
		d.BufferFrames, d.BufferTargetFrames, d.RatioPPM = c.DelayFrames, c.TargetFrames, c.RatioPPM
		d.JitterUs = status.Jitter{P50: c.LateUs.P50, P99: c.LateUs.P99, Max: c.LateUs.Max}
		s.showLatency(&d)
	}
	return d
}

func rejected(r ReceiveCounters) uint64 {
	return r.Malformed + r.WrongSource + r.WrongSSRC + r.WrongPayload + r.Outside
}

func peaks(linear []float64, channels int) []status.Decibels {
	out := make([]status.Decibels, 0, channels)
	for _, p := range linear[:min(channels, len(linear))] {
		out = append(out, status.DecibelsOf(p))
	}
	return out
}

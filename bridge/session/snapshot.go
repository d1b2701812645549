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
		UptimeSeconds: math.Round(time.Since(e.started).Seconds()*10) / 10,
		Audio:         e.audioStatus(),
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
	}
	return a
}

func (e *End) sessionStatus() status.Session {
	s := status.Session{State: status.SessionWaiting, Peer: e.cfg.Peer.String(), LastError: e.audioError}
	if e.signaling != nil && s.LastError == "" {
		s.LastError = e.signaling.Status().LastError
	}
	if e.sessions > 1 {
		s.Reconnects = e.sessions - 1
	}
	if e.session != nil {
		s.State, s.Peer, s.ID = status.SessionUp, e.session.PeerAddr.String(), e.session.ID
		if e.cfg.Static {
			s.State = status.SessionStatic
		}
	}
	return s
}

func (s *streams) direction(f proto.Format) status.Direction {
	return status.Direction{
		State: status.DirectionRunning, Peer: s.to.String(), Format: string(f.Encoding),
		Channels: f.Channels, Rate: f.RateHz,
	}
}

func (s *streams) sendStatus() status.Direction {
	if !s.running || s.send.Channels == 0 {
		return status.Direction{State: status.DirectionIdle}
	}
	d := s.direction(s.send)
	sent := s.counters.Sent
	d.PeriodFrames = proto.PacketFrames(s.send, s.end.graph.PeriodFrames)
	d.Packets = sent.Packets - s.base.Sent.Packets
	d.Xruns = sent.Skips - s.base.Sent.Skips
	if s.reports.havePeer {
		d.Lost = uint64(max(0, s.reports.peer.CumulativeLost))
	}
	d.PeakDBFS = peaks(sent.PeakLinear, s.send.Channels)
	return d
}

func (s *streams) receiveStatus() status.Direction {
	if !s.running || s.receive.Channels == 0 {
		return status.Direction{State: status.DirectionIdle}
	}
	d := s.direction(s.receive)
	if s.silent || s.counters.Received.Packets == s.base.Received.Packets {
		d.State = status.DirectionSilent
	}
	got, base, c := s.counters.Received, s.base.Received, s.clockStatus
	d.PeriodFrames = c.SenderPeriod
	d.Packets = got.Packets - base.Packets
	d.Lost = got.Lost - base.Lost
	d.Late = got.Late - base.Late
	d.Duplicate = got.Duplicate - base.Duplicate
	d.Rejected = rejected(got) - rejected(base)
	d.ConcealedFrames = got.ConcealedFrames
	d.Dropouts = got.Dropouts
	d.Xruns = got.Skips - base.Skips
	d.PeakDBFS = peaks(got.PeakLinear, s.receive.Channels)
	if !c.Playing {
		return d
	}
	d.BufferFrames, d.BufferTargetFrames, d.RatioPPM = c.DelayFrames, c.TargetFrames, c.RatioPPM
	d.JitterUs = status.Jitter{P50: c.LateUs.P50, P99: c.LateUs.P99, Max: c.LateUs.Max}
	latencyMs := c.DelayFrames/float64(s.receive.RateHz)*1e3 + s.reports.roundTrip.Seconds()*1e3/2
	d.LatencyMs.Bridge = status.Milliseconds(latencyMs)
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

package session

// freewheelChanged is called when the graph left real time, or came back to it. In
// between the audio server calls the core for no cycle, so there is nothing to send and
// no time to play by: both streams are taken from the core and the session stays, kept
// by its reports. Afterwards they begin anew, as in a new session.
func (e *End) freewheelChanged() {
	if e.graph.Freewheels {
		e.log.Info("audio server freewheels, as for an export: silence until it ends", "server", e.server)
		e.streams.pause()
		return
	}
	e.log.Info("audio server is back in real time", "server", e.server)
	e.streams.goOn()
}

// pause takes both streams from the core and keeps the session.
func (s *streams) pause() {
	if !s.running {
		return
	}
	s.halt()
	s.hear()
}

// goOn begins them again.
func (s *streams) goOn() {
	if !s.running {
		return
	}
	now := s.end.clock.monotonicNs()
	s.lastPacketNs, s.checkedNs, s.silent = now, now, false
	s.startReceiver()
	s.startSender()
}

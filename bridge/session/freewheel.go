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
	s.reports.wroteNs = 0 // the peer is told at once, before it misses anything
	s.count(s.end.clock.monotonicNs())
	s.halt()
	s.hear()
}

// goOn begins them again.
func (s *streams) goOn() {
	if !s.running {
		return
	}
	now := s.end.clock.monotonicNs()
	s.silent = false
	s.noteHeard()
	s.listen(now)
	s.startReceiver()
	s.startSender()
	s.refused.wait(now)
	s.end.settled()
}

// peerPauses is called with each report of the peer: whether its graph left real time.
// Then nothing of it is missing until its sound is back, or it says so.
func (s *streams) peerPauses(paused bool, arrivalNs int64) {
	if paused == (s.peerPausedNs != 0) {
		return
	}
	if !paused {
		s.peerGoesOn(arrivalNs)
		return
	}
	s.toldSilent = s.end.tellFew("the peer's audio server freewheels, as for an export: silence until it ends", "peer", s.peer())
	s.peerPausedNs, s.silent = arrivalNs, true
	s.end.core.Mute()
}

// heardAt ends the peer's pause with the first packet after it was told.
func (s *streams) heardAt(packetNs int64) {
	if s.peerPausedNs != 0 && packetNs > s.peerPausedNs {
		s.peerGoesOn(packetNs)
	}
}

// peerGoesOn forgets the seconds in which the peer neither sent nor heard anything.
func (s *streams) peerGoesOn(nowNs int64) {
	s.peerPausedNs = 0
	s.noteHeard()
	s.vitals.reset(nowNs)
}

// paused says whether no sound can come: one of the two graphs is not in real time.
func (s *streams) paused() bool { return s.end.graph.Freewheels || s.peerPausedNs != 0 }

package session

// freewheelChanged is called when the graph left real time, or came back to it. In
// between the audio server calls the core for no cycle, so there is nothing to send and
// no time to play by: both streams are taken from the core and the session stays, kept
// by its reports. Afterwards they begin again, as in a new session.
func (e *End) freewheelChanged() {
	if e.graph.Freewheels {
		e.log.Info("audio server freewheels, as for an export: silence until it ends", "server", e.server)
		e.pause()
		return
	}
	e.log.Info("audio server is back in real time", "server", e.server)
	e.goOn()
}

// pause takes both streams from the core and keeps the session.
func (e *End) pause() {
	s := &e.streams
	if !s.running {
		return
	}
	s.reports.MakeDue() // the peer is told at once, before it misses anything
	e.count(e.clock.monotonicNs())
	s.send.Pause()
	s.receive.Pause()
	s.receive.AcceptReports(e.incoming())
}

// goOn begins them again.
func (e *End) goOn() {
	s := &e.streams
	if !s.running {
		return
	}
	now := e.clock.monotonicNs()
	s.peer.silent = false
	s.notePeer()
	e.awaitPeer(now)
	e.startReceiver()
	e.startSender()
	s.retry.wait(now)
	e.settled()
}

// peerPauses is called with each report of the peer: whether its graph left real time.
// Then nothing of it is missing until its sound is back, or it says so.
func (e *End) peerPauses(paused bool, arrivalNs int64) {
	s := &e.streams
	if paused == (s.peer.pausedNs != 0) {
		return
	}
	if !paused {
		s.peerGoesOn(arrivalNs)
		return
	}
	s.peer.toldSilent = e.tellFew("the peer's audio server freewheels, as for an export: silence until it ends", "peer", e.peerName())
	s.peer.pausedNs, s.peer.silent = arrivalNs, true
	s.receive.Mute()
}

// soundAt ends the peer's pause with the first packet after it was told.
func (s *streams) soundAt(packetNs int64) {
	if s.peer.pausedNs != 0 && packetNs > s.peer.pausedNs {
		s.peerGoesOn(packetNs)
	}
}

// peerGoesOn forgets the seconds in which nothing of the peer could come.
func (s *streams) peerGoesOn(nowNs int64) {
	s.peer.pausedNs = 0
	s.notePeer()
	s.beginVitals(nowNs)
}

// paused says whether no sound can come: one of the two graphs is not in real time.
func (e *End) paused() bool { return e.graph.Freewheels || e.streams.peer.pausedNs != 0 }

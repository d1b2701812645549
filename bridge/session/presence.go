package session

import (
	"time"

	"archibald-bridge/bridge/report"
)

// presence is what tells whether the peer is there.
type presence struct {
	packetNs   int64 // of its last packet, or the start
	reportNs   int64 // the same of its reports
	checkedNs  int64 // when signaling was last asked to look
	came       bool  // anything of it, since the session began
	silent     bool
	toldSilent bool   // by the log
	refused    string // why it cannot send or receive, by its last report; "": it can
	pausedNs   int64  // when it said that its graph left real time; 0: it is in it
}

// awaitPeer begins to wait for the peer: from now on it may be missing.
func (e *End) awaitPeer(nowNs int64) {
	s := &e.streams
	s.peer.packetNs, s.peer.checkedNs, s.peer.reportNs = nowNs, nowNs, nowNs
	s.beginVitals(nowNs)
}

// beginVitals forgets what the last seconds were like.
func (s *streams) beginVitals(nowNs int64) {
	s.vitals.Reset(nowNs)
	s.receive.ForgetDelays()
}

// notePeer takes note of whether anything came since the wait began.
func (s *streams) notePeer() {
	s.peer.came = s.peer.came || max(s.peer.packetNs, s.peer.reportNs) > s.vitals.StartNs()
}

// watch notices a peer that is silent or gone. What cannot work here says nothing
// about the peer.
func (e *End) watch(nowNs int64) {
	s := &e.streams
	missing, patience := time.Duration(nowNs-s.peer.packetNs), checkAfter
	if e.session.Agreement.Receive.Channels > 0 && s.receive.Refused() == nil && !e.paused() {
		e.watchSound(missing)
	} else { // its reports are all that comes
		missing, patience = time.Duration(nowNs-s.peer.reportNs), report.Interval+checkAfter
	}
	s.notePeer()
	e.expect(nowNs-int64(missing), patience)
	if e.signaling == nil || missing < patience {
		return
	}
	forget := e.futile.patience()
	if time.Duration(nowNs-max(s.peer.packetNs, s.peer.reportNs)) > forget && e.refused().none() {
		e.drop("nothing from the peer for " + forget.String())
	} else if time.Duration(nowNs-s.peer.checkedNs) > checkAfter {
		s.peer.checkedNs = nowNs
		e.signaling.Check()
	}
}

func (e *End) watchSound(missing time.Duration) {
	s, silent := &e.streams, missing > silentAfter
	if silent == s.peer.silent {
		return
	}
	s.peer.silent = silent
	s.vitals.SilenceBegins(s.counters.Received)
	defer s.receive.Look(silent) // a new receiver has the strict filter
	if !silent {
		if s.peer.toldSilent {
			s.peer.toldSilent = false
			e.log.Info("sound from the peer again", "peer", e.peerName())
		}
		return
	}
	if e.told.again("silence", e.clock.monotonicNs()) {
		s.peer.toldSilent = true
		e.log.Warn("no sound from the peer: playing silence", "peer", e.peerName(), "for", missing.Round(time.Millisecond))
	}
	if e.settings.Static { // the peer may come back from another port, with another SSRC
		e.startReceiver()
	}
}

// mediaComes says whether the peer's media comes; else its reports are all that tells its port.
func (e *End) mediaComes(nowNs int64) bool {
	return e.core.MediaSource().IsValid() && time.Duration(nowNs-e.streams.peer.packetNs) < silentAfter
}

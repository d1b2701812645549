package session

import (
	"archibald-bridge/bridge/stream"
)

// answers is in how many periods a leader wants the follower's sound back.
type answers struct {
	periods    int    // 1 or 2
	unanswered uint64 // cycles, at the last look
}

// cyclesPerMinute is how many cycles the session's graphs run in a minute; 0: nobody leads.
func (e *End) cyclesPerMinute() int {
	a := e.session.Agreement
	if a.PeriodFrames == 0 {
		return 0
	}
	return 60 * a.Receive.RateHz / a.PeriodFrames
}

// chooseAnswers gives the follower a second period where one is too short for its graph, if
// that is left to us. The sound has a gap there, so this waits for an answer that is late,
// which makes one anyway. In the session it is never taken back: each change is heard.
func (e *End) chooseAnswers() {
	s := &e.streams
	minute, unanswered := s.vitals.LastMinute(), s.counters.Received.Unanswered
	missed := unanswered > e.answers.unanswered
	e.answers.unanswered = unanswered
	if e.lock() != stream.Leads || e.settings.AnswerPeriods != 0 || e.answers.periods > 1 || e.paused() ||
		!missed || !minute.TooLate(e.cyclesPerMinute()) {
		return
	}
	e.answers.periods = 2
	e.log.Info("packet, follower's graph and answer together need more than a period: from now on answers have two",
		"late", minute.Late, "of_cycles", minute.Cycles, "latency_frames", 2*e.session.Agreement.PeriodFrames)
	s.vitals.ForgetMinute()
	e.startReceiver()
}

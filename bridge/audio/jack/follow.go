package jack

import (
	"errors"
	"fmt"
	"time"

	"archibald-bridge/bridge/audio"
)

// silentAfter is how long netone may be silent before something is wrong. It hears nobody new
// until it has missed its old sender for 200 periods.
const silentAfter = 5 * time.Second

// answers notices that netone has gone silent.
type answers struct {
	count uint64
	at    time.Time
}

// missing is how long there has been no answer. count is all there were so far.
func (a *answers) missing(count uint64, now time.Time) time.Duration {
	if a.at.IsZero() || a.count != count {
		a.count, a.at = count, now
	}
	return now.Sub(a.at)
}

// command starts a JACK server that this end can drive.
func (s *Server) command(graph audio.Graph) string {
	return fmt.Sprintf("jackd -S -n %s -d netone -r %d -p %d -l %d", s.name, graph.RateHz, graph.PeriodFrames, s.netonePort)
}

// howToStart adds to the error about a server that does not run how to start one that this
// end can drive: any other would have a clock of its own.
func (s *Server) howToStart(err error) error {
	var known absentError // and there is another way out
	if s.netonePort == 0 || !errors.Is(err, audio.ErrServerAbsent) || errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%w; start it with jackd -S -n %s -d netone -l %d, and with -r and -p as the leader's graph has them", err, s.name, s.netonePort)
}

var (
	_ audio.Follower = (*Server)(nil)
	_ audio.Troubled = (*Server)(nil)
)

// Follows returns the rate and period that jackd was started with, once they are known:
// netone has them for life.
func (s *Server) Follows() (only audio.Graph, ok bool) {
	if s.netonePort == 0 {
		return audio.Graph{}, false
	}
	graph := s.Graph()
	graph.Freewheels = false
	return graph, graph != audio.Graph{}
}

// Follow has nothing to do but to look whether it is possible: the driving thread asks the
// core for each cycle, and the core knows whether a leader or its timer says when.
func (s *Server) Follow(leader audio.Graph) error {
	if leader == (audio.Graph{}) {
		return nil
	}
	if s.netonePort == 0 {
		return fmt.Errorf("JACK server %q has a clock of its own, which is no other end's to drive (netone-port is not set)", s.name)
	}
	only, ok := s.Follows()
	if ok && (only.RateHz != leader.RateHz || only.PeriodFrames != leader.PeriodFrames) {
		return fmt.Errorf("JACK server %q runs at %d Hz and %d frames, and the leader at %d Hz and %d frames; netone keeps what it was started with: start it with %s",
			s.name, only.RateHz, only.PeriodFrames, leader.RateHz, leader.PeriodFrames, s.command(leader))
	}
	return nil
}

// Trouble says that there is no netone to drive, or that its graph is too slow to be driven.
func (s *Server) Trouble() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.netonePort == 0 || s.clients == nil {
		s.answers = answers{}
		return ""
	}
	graph := s.clients.graph()
	if graph.Freewheels {
		s.answers = answers{}
		return ""
	}
	if s.answers.missing(s.clients.drive.Answers(), time.Now()) < s.silentAfter {
		return ""
	}
	if s.clients.drive.Answers() > 0 { // it is there, and answers when the graph is done
		return fmt.Sprintf("JACK server %q finishes no cycle in time: netone on UDP port %d (netone-port) has stopped answering; its programs need more than the period, or another program drives it",
			s.name, s.netonePort)
	}
	return fmt.Sprintf("JACK server %q is not driven: no netone answers on UDP port %d (netone-port); start it with %s",
		s.name, s.netonePort, s.command(graph))
}

// WhyPeriod knows nothing: JACK's period cannot be asked for.
func (s *Server) WhyPeriod(int, int) string { return "" }

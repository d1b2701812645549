package health

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
	"archibald-bridge/proto"
)

// minutes are the counters of a locked session, half a second after half a second.
type minutes struct {
	gone     bool // the follower
	v        Vitals
	ns       int64
	counters stream.Counters
}

// pass lets time go by in which so many more things were counted in all.
func (m *minutes) pass(d time.Duration, unanswered, lost, givenUp int) {
	steps := int(d / (500 * time.Millisecond))
	for i := range steps {
		share := func(n int) uint64 { return uint64(n*(i+1)/steps - n*i/steps) }
		r := &m.counters.Received
		r.Cycles += 375
		if !m.gone {
			r.Packets += 375
		}
		r.Unanswered += share(unanswered)
		r.Lost += share(lost)
		r.GivenUp += share(givenUp)
		m.ns += 5e8
		m.v.Sample(m.ns, m.counters)
	}
}

const perMinute = 45000 // cycles of 64 frames at 48 kHz

func TestAnswersAreLateWhenNoPacketWasLost(t *testing.T) {
	for name, c := range map[string]struct {
		unanswered, lost int
		peerLost         int // as its report says
		late             uint64
		tooLate          bool
	}{
		"none":                           {0, 0, 0, 0, false},
		"1 in 10,000":                    {4, 0, 0, 4, false},
		"more":                           {5, 0, 0, 5, true},
		"the answers were lost":          {60, 60, 0, 0, false},
		"what they answer was lost":      {60, 0, 60, 0, false},
		"some were lost, more were late": {60, 20, 10, 30, true},
	} {
		var m minutes
		m.pass(10*time.Second, 0, 0, 0)
		m.v.Reported(proto.Report{Receptions: []proto.Reception{{SSRC: 7, HighestSequence: 1, CumulativeLost: c.peerLost}}}, 7, m.ns, 1)
		m.pass(20*time.Second, c.unanswered, c.lost, 0)
		m.pass(5*time.Second, 0, 0, 0)
		got := m.v.LastMinute()
		if got.Late != c.late || got.TooLate(perMinute) != c.tooLate {
			t.Errorf("%s: %+v, too late %v", name, got, got.TooLate(perMinute))
		}
	}
}

func TestAFollowerThatIsGoneIsNotLate(t *testing.T) {
	var m minutes
	m.pass(10*time.Second, 0, 0, 0)
	m.pass(500*time.Millisecond, 180, 0, 0) // it went in the middle
	m.gone = true
	m.pass(3*time.Second, 6*375, 0, 0)
	m.gone = false
	m.pass(500*time.Millisecond, 180, 0, 0) // and is back
	m.pass(10*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Late != 0 {
		t.Errorf("%+v", got)
	}
	m.pass(5*time.Second, 10, 0, 0)
	m.pass(5*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Late != 10 {
		t.Errorf("later: %+v", got)
	}
}

func TestWhatIsUnansweredNowMayStillTurnOutToBeLost(t *testing.T) {
	var m minutes
	m.pass(10*time.Second, 0, 0, 0)
	m.pass(time.Second, 50, 0, 0)
	m.pass(2*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Late != 0 {
		t.Errorf("before the peer's report: %+v", got)
	}
	m.pass(3*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Late != 50 {
		t.Errorf("after it: %+v", got)
	}
}

func TestAMinuteIsAMinuteAndBeginsWhenTheSessionRuns(t *testing.T) {
	var m minutes
	m.pass(settleFor-time.Second, 500, 0, 500)
	m.pass(10*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Late != 0 || got.GivenUp != 0 {
		t.Errorf("the start counts: %+v", got)
	}
	m.pass(time.Second, 10, 0, 3)
	m.pass(50*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Late != 10 || got.GivenUp != 3 || got.Cycles < 40000 || got.Cycles > perMinute {
		t.Errorf("%+v", got)
	}
	m.pass(12*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Late != 0 || got.GivenUp != 0 {
		t.Errorf("after a minute: %+v", got)
	}
	m.pass(5*time.Second, 10, 0, 0)
	m.v.ForgetMinute()
	m.pass(5*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Late != 0 {
		t.Errorf("forgotten: %+v", got)
	}
}

// A follower's machine that stood still skips many cycles, once; a graph that is too slow does in
// each second. At 1.5 periods a cycle a third is skipped, and none is given up.
func TestAGraphThatIsBehindAgainAndAgainIsTooSlow(t *testing.T) {
	var m minutes
	m.pass(10*time.Second, 0, 0, 0)
	r := &m.counters.Received
	r.Skips += 700
	r.LeftOut += 700
	m.pass(10*time.Second, 0, 0, 0)
	if got := m.v.LastMinute(); got.Skipped != 0 || got.LeftOut != 0 {
		t.Errorf("it stood still once: %+v", got)
	}
	for range 8 {
		r.Skips += 125
		r.LeftOut += 125
		m.pass(500*time.Millisecond, 0, 0, 0)
	}
	if got := m.v.LastMinute(); got.Skipped != 6*125 || got.LeftOut != 6*125 {
		t.Errorf("it is behind: %+v", got)
	}
	m.pass(500*time.Millisecond, 0, 1000, 0)
	if got := m.v.LastMinute(); got.LeftOut != 0 {
		t.Errorf("packets were lost: %+v", got)
	}
}

// A period of 8192 frames has 351 cycles a minute: one of them is more than 1 in 10,000.
func TestALongPeriodIsNotTooShortForOneLateAnswer(t *testing.T) {
	for late, want := range map[uint64]bool{1: false, 2: false, 3: true} {
		if got := (Cycles{Late: late}).TooLate(351); got != want {
			t.Errorf("%d late: %v", late, got)
		}
	}
}

func TestProblemsOfALockedSessionSayWhoseGraphAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		locked Locked
		minute Cycles
		silent bool
		want   string
	}{
		"free clocks":         {Locked{}, Cycles{Late: 900, GivenUp: 9}, true, ""},
		"a leader, 1 period":  {Locked{stream.Leads, perMinute, 1}, Cycles{Cycles: 45000, Late: 45}, false, "the host's answers are late: 45 of 45000 cycles in the last minute; its graph needs more than the period, or its status says why; use --answer-periods 2 or a longer period"},
		"a leader, 2 periods": {Locked{stream.Leads, perMinute, 2}, Cycles{Cycles: 45000, Late: 45}, false, "the host's answers are late: 45 of 45000 cycles in the last minute; its graph needs more than the period, or its status says why; use a longer period"},
		"a leader, few":       {Locked{stream.Leads, perMinute, 1}, Cycles{Cycles: 45000, Late: 4}, false, ""},
		"a leader, left out": {Locked{stream.Leads, perMinute, 1}, Cycles{Cycles: 45000, Late: 45, LeftOut: 20000}, false,
			"the host's graph did not run 20000 of 45000 cycles in the last minute: its programs need more than the period; stop some, or use a longer period"},
		"a leader, more late than left out": {Locked{stream.Leads, perMinute, 1}, Cycles{Cycles: 45000, Late: 45, LeftOut: 44}, false,
			"the host's answers are late: 45 of 45000 cycles in the last minute; its graph needs more than the period, or its status says why; use --answer-periods 2 or a longer period"},
		"a leader, few left out": {Locked{stream.Leads, perMinute, 1}, Cycles{Cycles: 45000, LeftOut: 4}, false, ""},
		"a follower that is behind": {Locked{stream.Follows, perMinute, 0}, Cycles{Cycles: 25000, GivenUp: 7, Skipped: 20000}, false,
			"the graph, which follows, lost 20007 of 45000 cycles in the last minute: its programs need more than the period"},
		"a follower, silence": {Locked{stream.Follows, perMinute, 0}, Cycles{}, true, "no packets of the host, which leads: a timer drives the graph"},
		"a follower, busy":    {Locked{stream.Follows, perMinute, 0}, Cycles{Cycles: 45000, GivenUp: 7}, false, "the graph, which follows, lost 7 of 45000 cycles in the last minute: its programs need more than the period"},
	} {
		var said []string
		add := func(_ string, _ status.Side, format string, args ...any) {
			said = append(said, fmt.Sprintf(format, args...))
		}
		diagnoseLocked(evidence{peer: "host", locked: c.locked, minute: c.minute, receive: receiveEvidence{silent: c.silent}}, add)
		if got := strings.Join(said, "\n"); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

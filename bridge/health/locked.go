package health

import (
	"time"

	"archibald-bridge/bridge/status"
	"archibald-bridge/bridge/stream"
)

const (
	// settleFor is how long a session's first cycles say nothing: the follower's graph is set going.
	settleFor = 3 * time.Second
	// lateShare and leastLate are how many of a minute's cycles may be answered late: 1 in
	// 10,000, and a few where a period is so long that it has fewer.
	lateShare = 10000
	leastLate = 3
)

// Cycles are those of a locked session in the last minute, as far as they were seen.
type Cycles struct {
	Cycles uint64
	// Late are those of a leader without an answer in time although no packet was lost: the
	// follower's graph needs longer.
	Late uint64
	// GivenUp are those of a follower that its graph did not finish.
	GivenUp uint64
	// Skipped are those that a follower did not run, since it was behind by as much as it may be;
	// LeftOut, at a leader, those that the follower did not run although no packet was lost. Of both
	// only what went on for a second and a half: a machine that stood still once is no slow graph.
	Skipped, LeftOut uint64
}

// minuteSample are counters of a moment, of a locked session.
type minuteSample struct {
	ns                                   int64
	cycles, packets, unanswered, givenUp uint64
	lost                                 uint64 // packets of both ways
	skipped, leftOut                     uint64
}

// sampleMinute takes the counters.
func (v *Vitals) sampleMinute(nowNs int64, c stream.ReceiveCounters) {
	if time.Duration(nowNs-v.startNs) < settleFor {
		return
	}
	v.minute = append(v.minute, minuteSample{nowNs, c.Cycles, c.Packets, c.Unanswered, c.GivenUp, c.Lost + v.peerLost, c.Skips, c.LeftOut})
	for time.Duration(nowNs-v.minute[0].ns) > time.Minute {
		v.minute = v.minute[1:]
	}
}

// LastMinute counts the cycles. Those without an answer count when the reports of the peer
// have come that can say that a packet was lost.
func (v *Vitals) LastMinute() Cycles {
	if len(v.minute) == 0 {
		return Cycles{}
	}
	from, to := v.minute[0], v.minute[len(v.minute)-1]
	c := Cycles{Cycles: stream.Grown(to.cycles, from.cycles), GivenUp: stream.Grown(to.givenUp, from.givenUp)}
	for i := 1; i+1 < len(v.minute) && time.Duration(to.ns-v.minute[i].ns) >= reportsWithin; i++ {
		if v.packetsCame(i-1) && v.packetsCame(i) && v.packetsCame(i+1) {
			c.Late += stream.Grown(v.minute[i].unanswered, v.minute[i-1].unanswered)
		}
	}
	lost := stream.Grown(to.lost, from.lost)
	c.Late = stream.Grown(c.Late, lost)
	c.Skipped = v.wentOn(func(s minuteSample) uint64 { return s.skipped })
	c.LeftOut = stream.Grown(v.wentOn(func(s minuteSample) uint64 { return s.leftOut }), lost)
	return c
}

// wentOn is by how much a count grew in samples between two in which it grew, too.
func (v *Vitals) wentOn(count func(minuteSample) uint64) (sum uint64) {
	grew := func(i int) uint64 { return stream.Grown(count(v.minute[i]), count(v.minute[i-1])) }
	for i := 2; i+1 < len(v.minute); i++ {
		if grew(i-1) > 0 && grew(i+1) > 0 {
			sum += grew(i)
		}
	}
	return sum
}

// packetsCame says whether the follower answered at least every other cycle in the time that a
// sample ends: one that is gone is not late.
func (v *Vitals) packetsCame(i int) bool {
	if i == 0 {
		return true
	}
	now, then := v.minute[i], v.minute[i-1]
	return 2*stream.Grown(now.packets, then.packets) >= stream.Grown(now.cycles, then.cycles)
}

// ForgetMinute begins to count again: what was before is no part of the last minute.
func (v *Vitals) ForgetMinute() { v.minute = nil }

// TooLate says that more of them were answered late than an end may bear, whose graph runs
// so many cycles a minute.
func (c Cycles) TooLate(perMinute int) bool { return tooMany(c.Late, perMinute) }

func tooMany(cycles uint64, perMinute int) bool {
	return cycles >= leastLate && cycles*lateShare > uint64(perMinute)
}

// Locked is what is known of a session in which one end leads.
type Locked struct {
	Lock          stream.Lock
	PerMinute     int // cycles of a minute
	AnswerPeriods int // of a leader
}

// diagnoseLocked says what a leader or a follower suffers from.
func diagnoseLocked(e evidence, add adder) {
	c := e.minute
	switch {
	case e.locked.Lock == stream.Leads && c.LeftOut >= c.Late && tooMany(c.LeftOut, e.locked.PerMinute):
		add(AnswersLate, status.SideReceive, "the %s's graph did not run %d of %d cycles in the last minute: its programs need more than the period; stop some, or use a longer period",
			e.peer, c.LeftOut, c.Cycles)
	case e.locked.Lock == stream.Leads && c.TooLate(e.locked.PerMinute):
		remedy := "use --answer-periods 2 or a longer period"
		if e.locked.AnswerPeriods > 1 {
			remedy = "use a longer period"
		}
		add(AnswersLate, status.SideReceive, "the %s's answers are late: %d of %d cycles in the last minute; its graph needs more than the period, or its status says why; %s",
			e.peer, c.Late, c.Cycles, remedy)
	case e.locked.Lock == stream.Follows:
		if e.receive.silent {
			add(TimerDrives, status.SideAudio, "no packets of the %s, which leads: a timer drives the graph", e.peer)
		}
		if lost := c.GivenUp + c.Skipped; lost > 0 {
			add(CyclesLost, status.SideAudio, "the graph, which follows, lost %d of %d cycles in the last minute: its programs need more than the period", lost, c.Cycles+c.Skipped)
		}
	}
}

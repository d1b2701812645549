package session

import (
	"log/slog"
	"slices"
	"time"

	"archibald-bridge/bridge/health"
	"archibald-bridge/bridge/seldom"
	"archibald-bridge/bridge/status"
)

// teller writes into the log what begins and what is over: each kind once a minute at
// the most, however often it comes and goes.
type teller struct {
	once    seldom.Limits
	often   seldom.Limits
	present map[kind]bool // kinds of problems that the log says there are
}

// fewPerMinute is how often the log tells in a minute what is right to tell each time:
// ends that agree and part forever, or a peer that changes its mind or its port with
// each report, would fill it.
const fewPerMinute = 10

// kind is a problem without its figures, which change.
type kind struct {
	code string
	side status.Side
}

func newTeller() teller {
	return teller{once: seldom.Limits{Most: 1}, often: seldom.Limits{Most: fewPerMinute}, present: map[kind]bool{}}
}

// toldElsewhere are problems that the log has from who knows more of them: from the
// machine, what it tried; from the patchbay, each rule once; from the streams, when the
// peer's export began.
var toldElsewhere = []string{health.NotRealtime, health.UnmatchedRule, health.PeerFreewheels}

// again says whether something may be told now, and takes it as told.
func (t *teller) again(what string, nowNs int64) bool { return t.once.Allow(what, time.Unix(0, nowNs)) }

// few says whether something that may be told each time was told seldom lately, and takes
// it as told.
func (t *teller) few(what string, nowNs int64) bool { return t.often.Allow(what, time.Unix(0, nowNs)) }

// tellFew writes what the peer can bring about as often as it likes, and says whether it
// did.
func (e *End) tellFew(message string, attributes ...any) bool {
	told := e.told.few(message, e.clock.monotonicNs())
	if told {
		e.log.Info(message, attributes...)
	}
	return told
}

// problems compares what is wrong now with what was told.
func (t *teller) problems(found []status.Problem, nowNs int64, log *slog.Logger) {
	now := map[kind]bool{}
	for _, p := range found {
		k := kind{p.Code, p.Side}
		if slices.Contains(toldElsewhere, p.Code) {
			continue
		}
		now[k] = true
		if !t.present[k] && t.again(p.Code+" "+string(p.Side), nowNs) {
			t.present[k] = true
			log.Warn(p.Text, "code", p.Code, "side", string(p.Side))
		}
	}
	for k := range t.present {
		if !now[k] {
			delete(t.present, k)
			log.Info("problem over", "code", k.code, "side", string(k.side))
		}
	}
}

package network

import (
	"log/slog"
	"time"

	"archibald-bridge/bridge/seldom"
)

const mostTold = 3 // times in a minute that the same thing goes: a cable may be loose

// teller logs what goes and comes.
type teller struct {
	log  *slog.Logger
	went map[string]*losses
}

// losses are those of one thing.
type losses struct {
	limit seldom.Limit
	quiet bool // it was not told, so that its end is not
}

func (t *teller) waiting(name, reason string, now time.Time) {
	if t.note(name, now) {
		t.log.Warn("waiting for the network: "+name, "reason", reason)
	}
}

func (t *teller) gone(name, reason string, now time.Time) {
	if t.note(name, now) {
		t.log.Warn(name+" is gone", "reason", reason)
	}
}

// note says whether a loss may be told.
func (t *teller) note(name string, now time.Time) bool {
	if t.went == nil {
		t.went = map[string]*losses{}
	}
	l := t.went[name]
	if l == nil {
		l = &losses{limit: seldom.Limit{Most: mostTold}}
		t.went[name] = l
	}
	l.quiet = !l.limit.Allow(now)
	return !l.quiet
}

// still tells a loss that was not told when it came, and lasts: the last line of it in
// the log would say that it is back.
func (t *teller) still(name, reason string, now time.Time) {
	if l := t.went[name]; l != nil && l.quiet && l.limit.Open(now) {
		t.gone(name, reason, now)
	}
}

func (t *teller) back(name string, ever bool) {
	if l := t.went[name]; l != nil && l.quiet {
		return
	}
	if ever {
		t.log.Info(name + " is back")
	} else {
		t.log.Info(name + " is there")
	}
}

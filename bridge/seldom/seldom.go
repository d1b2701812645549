// Package seldom bounds how often the log tells the same thing. Peers, networks and
// servers can come and go as often as they like; they must not fill it.
package seldom

import "time"

// Limit lets something through at most Most times in a minute. The minute begins with the
// first time. The zero Limit lets nothing through.
type Limit struct {
	Most  int
	begun time.Time // of the minute
	times int       // in it
	held  int       // in the minute before
}

// Allow notes that it happens, and says whether it is to be told.
func (l *Limit) Allow(now time.Time) bool {
	if now.Sub(l.begun) >= time.Minute {
		l.begun, l.times, l.held = now, 0, max(0, l.times-l.Most)
	}
	l.times++
	return l.times <= l.Most
}

// Open says whether it would be told.
func (l *Limit) Open(now time.Time) bool {
	return l.times < l.Most || now.Sub(l.begun) >= time.Minute
}

// Last says that what was let through last is the last of its minute.
func (l *Limit) Last() bool { return l.times == l.Most }

// Held is how often it happened in the minute before without being told.
func (l *Limit) Held() int { return l.held }

// Limits are one Limit for each thing.
type Limits struct {
	Most   int
	limits map[string]*Limit
}

// Allow notes that a thing happens, and says whether it is to be told.
func (l *Limits) Allow(what string, now time.Time) bool {
	limit := l.limits[what]
	if limit == nil {
		if l.limits == nil {
			l.limits = map[string]*Limit{}
		}
		limit = &Limit{Most: l.Most}
		l.limits[what] = limit
	}
	return limit.Allow(now)
}

package signaling

import (
	"fmt"
	"log/slog"
	"time"
)

// linesPerMinute is how many different texts an errorLog logs in a minute: others choose
// some of the words.
const linesPerMinute = 5

// errorLog remembers the last error of something that is tried again and again,
// and logs it when its text changes.
type errorLog struct {
	log   *slog.Logger
	now   func() time.Time
	last  string
	begun time.Time // of the minute that lines are counted in
	lines int
}

func (l *errorLog) note(text string) {
	if text == l.last {
		return
	}
	l.last = text
	if now := l.now(); now.Sub(l.begun) >= time.Minute {
		l.begun, l.lines = now, 0
	}
	switch l.lines++; {
	case l.lines == linesPerMinute:
		l.log.Warn(text + " (more of this is not logged for a minute)")
	case l.lines < linesPerMinute:
		l.log.Warn(text)
	}
}

func (l *errorLog) text() string { return l.last }

func (l *errorLog) clear() { l.last = "" }

// seldomLog says when something that happens often is to be logged: once a minute.
type seldomLog struct {
	now    func() time.Time
	begun  time.Time
	silent uint64 // times since then that were not logged
}

// due notes that it happened. more says how often it did so in silence before.
func (l *seldomLog) due() (more string, due bool) {
	now := l.now()
	if now.Sub(l.begun) < time.Minute {
		l.silent++
		return "", false
	}
	if l.silent > 0 {
		more = fmt.Sprintf(" (so did %d calls before)", l.silent)
	}
	l.begun, l.silent = now, 0
	return more, true
}

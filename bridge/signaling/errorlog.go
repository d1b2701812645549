package signaling

import (
	"fmt"
	"log/slog"
	"time"

	"archibald-bridge/bridge/seldom"
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
	limit seldom.Limit
}

func newErrorLog(log *slog.Logger) errorLog {
	return errorLog{log: log, now: time.Now, limit: seldom.Limit{Most: linesPerMinute}}
}

func (l *errorLog) note(text string) {
	if text == l.last {
		return
	}
	l.last = text
	switch told := l.limit.Allow(l.now()); {
	case !told:
	case l.limit.Last():
		l.log.Warn(text + " (more of this is not logged for a minute)")
	default:
		l.log.Warn(text)
	}
}

func (l *errorLog) text() string { return l.last }

func (l *errorLog) clear() { l.last = "" }

// soDid says how many calls were not told of before one that is; "": none.
func soDid(l *seldom.Limit) string {
	if l.Held() == 0 {
		return ""
	}
	return fmt.Sprintf(" (so did %d calls before)", l.Held())
}

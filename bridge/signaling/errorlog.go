package signaling

import "log/slog"

// errorLog remembers the last error of something that is tried again and again,
// and logs it when its text changes.
type errorLog struct {
	log  *slog.Logger
	last string
}

func (l *errorLog) note(text string) {
	if text == l.last {
		return
	}
	l.last = text
	l.log.Warn(text)
}

func (l *errorLog) text() string { return l.last }

func (l *errorLog) clear() { l.last = "" }

package cli

import (
	"io"
	"sync/atomic"
	"time"
)

const (
	queuedLines = 512                    // of the log, while its reader does not read
	lastWords   = 500 * time.Millisecond // that a reader has at the end
)

// logWriter writes a log and never waits for who reads it: a terminal that was
// stopped, a pipe that is full or whose reader is gone, a disk without space. Lines for
// which there is no place are dropped and counted.
type logWriter struct {
	to    io.Writer
	note  func(to io.Writer, lost uint64) // writes the line that says how many
	lines chan []byte
	lost  atomic.Uint64
	stop  chan struct{}
	done  chan struct{}
}

func newLogWriter(to io.Writer, note func(io.Writer, uint64)) *logWriter {
	w := &logWriter{to: to, note: note, lines: make(chan []byte, queuedLines), stop: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Write takes one line. It always succeeds.
func (w *logWriter) Write(line []byte) (int, error) {
	select {
	case w.lines <- append([]byte(nil), line...):
	default:
		w.lost.Add(1)
	}
	return len(line), nil
}

// close writes what is queued, as far as the reader takes it.
func (w *logWriter) close() {
	close(w.stop)
	select {
	case <-w.done:
	case <-time.After(lastWords):
	}
}

func (w *logWriter) run() {
	defer close(w.done)
	for {
		select {
		case line := <-w.lines:
			w.write(line)
			continue
		default:
		}
		select {
		case line := <-w.lines:
			w.write(line)
		case <-w.stop:
			if len(w.lines) == 0 {
				return
			}
		}
	}
}

// write tells of lost lines where they are missing, after the first line that the
// reader took again.
func (w *logWriter) write(line []byte) {
	if _, err := w.to.Write(line); err != nil {
		w.lost.Add(1)
		return
	}
	if n := w.lost.Swap(0); n > 0 {
		w.note(w.to, n)
	}
}

// say writes the program's last line, which nobody may be there to take.
func say(to io.Writer, line string) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		_, _ = io.WriteString(to, line)
	}()
	select {
	case <-said:
	case <-time.After(lastWords):
	}
}

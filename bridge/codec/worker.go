package codec

import "time"

// Worker calls a function often enough for its stream, on a goroutine of its own.
type Worker struct{ stop, done chan struct{} }

// Start begins to call work each Interval.
func Start(work func()) *Worker {
	w := &Worker{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		ticker := time.NewTicker(Interval)
		defer ticker.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-ticker.C:
				work()
			}
		}
	}()
	return w
}

// Stop returns when work is not called any more. It is legal on nil.
func (w *Worker) Stop() {
	if w != nil {
		close(w.stop)
		<-w.done
	}
}

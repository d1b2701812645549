package audio

// Watch is the goroutine that turns what the audio server's callbacks leave behind into
// events, from a Server's Open to its Close.
type Watch struct {
	events chan<- Event
	quit   chan struct{}
	done   chan struct{}
}

// StartWatch runs look until it returns, which it does when Quit is closed.
func StartWatch(events chan<- Event, look func(*Watch)) *Watch {
	w := &Watch{events: events, quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		look(w)
	}()
	return w
}

// Send delivers an event. It is false when the watch was stopped before anybody took it:
// no event is about a connection that is closed.
func (w *Watch) Send(event Event) bool {
	select {
	case w.events <- event:
		return true
	case <-w.quit:
		return false
	}
}

// Quit is closed when the goroutine is to end.
func (w *Watch) Quit() <-chan struct{} { return w.quit }

// Stop returns when the goroutine has ended. wake ends a wait in it that does not look at
// Quit; nil: there is none.
func (w *Watch) Stop(wake func()) {
	close(w.quit)
	if wake != nil {
		wake()
	}
	<-w.done
}

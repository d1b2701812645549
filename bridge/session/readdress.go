package session

// Readdress says, from any goroutine, that the interface that the peer's address names is
// another one now, of the same name: what is sent goes out by its index, which the
// sender was given when it started.
func (e *End) Readdress() { e.readdress.Store(true) }

// readdress starts the sender anew when that was said.
func (s *streams) readdress() {
	if s.end.readdress.Swap(false) && s.sending {
		s.startSender()
	}
}

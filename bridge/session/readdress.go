package session

// Readdress says, from any goroutine, that the interface that the peer's address names is
// another one now, of the same name: what is sent goes out by its index, and what comes
// in is taken by it. Both streams were given it when they started.
func (e *End) Readdress() { e.readdress.Store(true) }

// readdress starts them anew when that was said. One that was refused is tried again
// anyway.
func (s *streams) readdress() {
	if !s.end.readdress.Swap(false) {
		return
	}
	if s.refused.receive == nil {
		s.startReceiver()
		s.look(s.silent)
	}
	if s.refused.send == nil {
		s.startSender()
	}
}

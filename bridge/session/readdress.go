package session

// Readdress says, from any goroutine, that the interface that the peer's address names is
// another one now, of the same name: what is sent goes out by its index, and what comes
// in is taken by it. Both streams were given it when they started.
func (e *End) Readdress() { e.readdressed.Store(true) }

// readdress starts them again when that was said. One that was refused is tried again
// anyway.
func (e *End) readdress() {
	if !e.readdressed.Swap(false) {
		return
	}
	if e.streams.receive.Refused() == nil {
		e.startReceiver()
		e.streams.receive.Look(e.streams.peer.silent)
	}
	if e.streams.send.Refused() == nil {
		e.startSender()
	}
}

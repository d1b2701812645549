// Package session is the life of a bridge end: it opens the audio server,
// keeps the session with the peer, steers the playout position, and reports.
// It declares the interfaces of the real-time core and of an audio server and
// knows no implementation of them.
package session

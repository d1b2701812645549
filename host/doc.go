// Package host is the host end: PipeWire, where games and speakers are, or a
// JACK server. It chooses the audio server and hands everything to
// bridge/session.
package host

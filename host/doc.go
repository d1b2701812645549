// Package host is the host end: PipeWire, where games and speakers are. It
// chooses the audio server and hands everything to bridge/session.
package host

// Package host is the host end: PipeWire, where games and speakers are, a JACK
// server, or a device by way of PortAudio. It chooses the audio server and hands everything to
// bridge/session.
package host

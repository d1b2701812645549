// Package session is the life of a bridge end: it opens the audio server, calls or is
// called by the peer, has both streams started and stopped, and notices when the audio
// server or the peer is lost, or back. It has nothing to do with samples or with the form of
// reports: bridge/send, bridge/receive and bridge/report do that.
package session

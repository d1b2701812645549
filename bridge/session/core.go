package session

import (
	"net/netip"

	"archibald-bridge/bridge/receive"
	"archibald-bridge/bridge/report"
	"archibald-bridge/bridge/send"
	"archibald-bridge/bridge/stream"
)

// Core is the real-time core as the session sees it. Its methods are called
// from one goroutine, never from an audio thread.
type Core interface {
	send.Core
	receive.Core
	report.Core

	// SetGraph says that the audio server was opened and runs at rateHz. The
	// media clock goes on by the time that went by.
	SetGraph(rateHz int)
	// Follow makes the function that drives a graph start cycles of that many frames, 1 to
	// 8,192, at that rate, 8,000 to 192,000 Hz; 0, 0: none. Packets of the peer do so, or else
	// a timer.
	Follow(rateHz, periodFrames int)
	// MediaSource is where the receiver's media comes from; invalid before the
	// first accepted packet.
	MediaSource() netip.AddrPort
	// Idle empties the socket when no playout callback has done so for 100 ms.
	Idle(nowNs int64)
	// Counters returns the running totals.
	Counters() stream.Counters
}

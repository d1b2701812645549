package session

import (
	"net/netip"

	"archibald-bridge/bridge/stream"
)

// Core is the real-time core as the session sees it. Its methods are called
// from one goroutine, never from an audio thread.
type Core interface {
	// SetGraph says that the audio server was opened and runs at rateHz. The
	// media clock goes on from where it was.
	SetGraph(rateHz int)

	// StartSender and StartReceiver replace the running plan, if any.
	StartSender(stream.SendPlan) error
	StopSender()
	// StopReceiver ends RTCP, too: the kernel then drops all that comes.
	StartReceiver(stream.ReceivePlan) error
	StopReceiver()
	// Hear lets the peer's RTCP in while there is no receiver.
	Hear(from netip.Addr, ssrc uint32) error
	// Look lets a sample of what the kernel drops for the running receiver in, so
	// that it is counted by its reason, or ends that.
	Look(on bool) error

	// SetRatio sets how many stream frames the receiver consumes per graph
	// frame, 0.95 to 1.05. Exactly 1 copies bit for bit, after a glide of at
	// most 50 ppm to a whole frame.
	SetRatio(ratio float64)
	// SeekTo makes the receiver play stream time media+offset at local media
	// time media, from the next cycle on, cross-faded when already playing.
	SeekTo(offset int64)
	// Mute stops playout: silence, no position, packets still observed.
	Mute()

	// Observe moves the oldest observations into buf and returns how many.
	Observe(buf []stream.Observation) int
	// MediaSource is where the receiver's media comes from; invalid before the
	// first accepted packet.
	MediaSource() netip.AddrPort

	// SendRTCP writes one compound packet from the media socket; from is as Source of
	// the SenderPlan.
	SendRTCP(packet []byte, from netip.Addr, to netip.AddrPort) error
	// ReadRTCP takes the oldest RTCP datagram that came in. ok is false when
	// there is none.
	ReadRTCP(buf []byte) (n int, from netip.AddrPort, arrivalNs int64, ok bool)

	// Idle empties the socket when no playout callback has done so for 100 ms.
	Idle(nowNs int64)

	// LookaheadFrames is how far the resampler reads past its position.
	LookaheadFrames() int
	// stream.Counters returns the running totals.
	Counters() stream.Counters
}

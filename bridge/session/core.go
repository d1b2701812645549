package session

import (
	"net/netip"
	"syscall"

	"archibald-bridge/bridge/clock"
	"archibald-bridge/bridge/codec"
	"archibald-bridge/proto"
)

// SenderPlan is everything the core needs to send one stream. It does not
// change while in use; another plan replaces it.
type SenderPlan struct {
	Format       proto.Format
	PacketFrames int // frames per packet, 1 to 4096
	SSRC         uint32
	To           netip.AddrPort
	Source       netip.Addr    // ours that it leaves from; the zero Addr: as the routes say
	Repeats      proto.Repeats // what it sends again
	Lateness     bool          // packets say how late they left, in a header extension
}

// ReceiverPlan is everything the core needs to receive one stream.
type ReceiverPlan struct {
	Format proto.Format
	SSRC   uint32 // 0: the first one seen
	// From is the address that media comes from; the zero Addr: that of the first
	// packet. The port is that of the first packet, too, and another one once that has
	// been quiet for 200 ms: addresses are translated on the way.
	From netip.Addr

	PayloadType uint8 // RTP payload type; 0: proto.Encoding.PayloadType of the format

	Repeats  proto.Repeats // that the peer agreed to send: no duplicates
	Lateness bool          // packets say how late they left
}

// Core is the real-time core as the session sees it. Its methods are called
// from one goroutine, never from an audio thread; those of codec.Outgoing and
// codec.Incoming each from another one, while a plan of Opus is in use.
type Core interface {
	codec.Outgoing
	codec.Incoming

	// SetGraph says that the audio server was opened and runs at rateHz. The
	// media clock goes on from where it was.
	SetGraph(rateHz int)

	// StartSender and StartReceiver replace the running plan, if any.
	StartSender(SenderPlan) error
	StopSender()
	// StopReceiver ends RTCP, too: the kernel then drops all that comes.
	StartReceiver(ReceiverPlan) error
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
	Observe(buf []clock.Observation) int
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
	// Counters returns the running totals.
	Counters() Counters
}

// Counters are totals since the core was opened, and momentary values.
type Counters struct {
	Sent     SendCounters
	Received ReceiveCounters
}

// SendCounters belong to the sending direction.
type SendCounters struct {
	Cycles        uint64        // capture callbacks
	Packets       uint64        // repeats not counted
	Bytes         uint64        // RTP payload, the same
	SendErrors    uint64        // datagrams the kernel refused
	SendErrno     syscall.Errno // why it last did; 0: never
	NonFinite     uint64        // samples that were NaN or infinite, sent as 0
	Skips         uint64        // times the media clock jumped
	SkippedFrames uint64
	LastTimestamp uint32    // RTP timestamp of the last packet's first frame
	LastSendNs    int64     // CLOCK_MONOTONIC of that packet's capture callback
	LastLateNs    int64     // how long after its cycle's start that callback ran; 0: not known
	PeakLinear    []float64 // per channel, since the previous call; 1.0 is 0 dBFS
}

// ReceiveCounters belong to the receiving direction.
type ReceiveCounters struct {
	Cycles          uint64 // playout callbacks
	Packets         uint64 // accepted
	Bytes           uint64 // RTP payload
	Lost            uint64 // sequence numbers that never came
	Late            uint64 // came after their frames had been played
	Duplicate       uint64 // came more often than was agreed
	Recovered       uint64 // came, but in fewer copies than were agreed; known 512 packets later at the least
	Reordered       uint64 // came first after a later sequence number
	Malformed       uint64 // not RTP, truncated, wrong length
	WrongSource     uint64
	WrongSSRC       uint64
	WrongPayload    uint64 // payload type not agreed
	Outside         uint64 // timestamp outside the buffer's window
	Implausible     uint64 // sequence number too far from the one before, and the next did not confirm it
	KernelDrops     uint64 // datagrams stopped by the socket's filter, or for which its buffer had no room
	ReceiveErrors   uint64 // failures of reading from the socket
	RTCPOverBudget  uint64 // more than 32 in a second, or than are read
	RTCPElsewhere   uint64 // not from where media comes, or another SSRC; counted by the session
	NonFinite       uint64 // samples that were NaN or infinite, played as 0
	ConcealedFrames uint64
	Dropouts        uint64 // runs of concealed frames
	Predicted       uint64 // cycles whose last look-ahead had not come, and was predicted
	Skips           uint64 // times the local media clock jumped
	SkippedFrames   uint64
	Observations    uint64 // lost because nobody read them
	LastPacketNs    int64  // CLOCK_MONOTONIC, 0: none yet
	HighestSequence uint32 // extended (RFC 3550, appendix A.1)
	SeenPayloadType uint8  // of the last packet that WrongPayload counts
	// SeenSource is where a packet came from that WrongSource counts, one of the last;
	// invalid before there was one.
	SeenSource netip.AddrPort
	PeakLinear []float64
}

package stream

import (
	"net/netip"
	"syscall"
)

// Counters are totals since the core was opened, and momentary values.
type Counters struct {
	Sent     SendCounters
	Received ReceiveCounters
}

// SendCounters belong to the sending direction.
type SendCounters struct {
	Cycles             uint64        // capture callbacks
	Packets            uint64        // repeats not counted
	Bytes              uint64        // RTP payload, the same
	SendErrors         uint64        // datagrams the kernel refused
	SendErrno          syscall.Errno // why it last did; 0: never
	NonFinite          uint64        // samples that were NaN or infinite, sent as 0
	Skips              uint64        // times the media clock jumped
	SkippedFrames      uint64
	LastTimestamp      uint32    // RTP timestamp of the last packet's first frame
	LastSendNs         int64     // CLOCK_MONOTONIC of that packet's capture callback
	LastCaptureDelayNs int64     // how long after its cycle's start that callback ran; 0: not known
	PeakLinear         []float64 // per channel, since the previous call; 1.0 is 0 dBFS
}

// ReceiveCounters belong to the receiving direction.
type ReceiveCounters struct {
	Cycles          uint64 // playout callbacks
	Packets         uint64 // accepted
	Bytes           uint64 // RTP payload
	Lost            uint64 // sequence numbers that never came
	DiscardedLate   uint64 // came after their frames had been played
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

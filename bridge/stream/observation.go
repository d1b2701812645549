package stream

// Kind tells a packet observation from a cycle observation.
type Kind uint32

// The kinds of Observation.
const (
	KindPacket Kind = 1 // a media packet was accepted, and not a repeat sent later
	KindCycle  Kind = 2 // a playout cycle began
)

// Observation is one record of the real-time core's observation ring: what the
// core saw, in the order it saw it. Fields that a kind does not use are zero.
type Observation struct {
	Kind   Kind
	Frames uint32 // frames in the packet, or in the cycle

	// TimeNs is CLOCK_MONOTONIC: the arrival of the packet (kernel time stamp),
	// or the start of the cycle.
	TimeNs int64

	// SendDelayNs is, for a packet, how long after the start of the sender's graph
	// cycle it left (by packet: after the start of its first frame). The sender says
	// this: 0 to 65.534 ms (the most it can say); -1: not said.
	SendDelayNs int64

	// WaitNs is, for a packet, how long after its arrival it could be played: the time
	// until it was decoded; 0: at once.
	WaitNs int64

	// Media is, for a packet, the RTP timestamp of its first frame extended to
	// 64 bits; for a cycle, the media clock of the local graph at its start,
	// in frames, lost time included.
	Media int64

	// Sequence is, for a packet, its RTP sequence number extended to 32 bits. The numbers
	// that it skips are missing packets. 0 for all packets: not known.
	Sequence uint32

	// Position is, for a cycle, the playout position: the stream time (same
	// scale as a packet's Media) of the cycle's first output frame, in frames.
	// PositionFraction is its fraction, 0 to 1.
	Position         int64
	PositionFraction float64

	// Ratio is, for a cycle, stream frames consumed per graph frame.
	Ratio float64

	// Playing says, for a cycle, that the playout position is set. Position is
	// meaningless before.
	Playing bool
}

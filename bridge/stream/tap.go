package stream

// Cycle is what one capture callback took.
type Cycle struct {
	Media       int64  // the media clock at its start, in frames
	Timestamp   uint32 // the same as RTP has it
	TimeNs      int64  // CLOCK_MONOTONIC of the callback
	SendDelayNs int64  // how long after the start of the graph's cycle that was; -1: not known
	Frames      int
	Samples     []float32 // interleaved; valid until the next call
}

// CodedPacket is a packet to be sent.
type CodedPacket struct {
	Payload     []byte
	Timestamp   uint32 // RTP, of its first frame
	Cycle       *Cycle // that completed it
	SendDelayNs int64  // how long after the start of that cycle it leaves; -1: not known
}

// SendTap is where a codec takes captured sound and gives packets. Its methods are
// called by one goroutine between StartSender and StopSender of a plan that is Coded.
type SendTap interface {
	// TakeCycle takes the oldest cycle that was captured.
	TakeCycle(*Cycle) bool
	// SendCoded sends a packet, and earlier ones again, as the plan says.
	SendCoded(CodedPacket)
}

// ArrivedPacket is a coded packet that arrived. No copy of it follows.
type ArrivedPacket struct {
	Media       int64 // RTP timestamp, extended to 64 bits
	Sequence    uint16
	ArrivalNs   int64
	SendDelayNs int64 // what its sender says of it; -1: nothing
	Again       bool  // a repeat behind later packets: when it came says nothing
	Payload     []byte
}

// Block is what became of a packet, or of one that did not come.
type Block struct {
	Media   int64
	Frames  int
	Samples []float32 // interleaved
	ReadyNs int64     // CLOCK_MONOTONIC
	// ArrivalNs and SendDelayNs are of its packet, as ArrivedPacket has them.
	ArrivalNs, SendDelayNs int64
	// Observed says that ArrivalNs and ReadyNs tell something of the sender's clock and
	// of the packet delay variation.
	Observed bool
	Kind     BlockKind
}

// BlockKind says what a block is.
type BlockKind int

// The kinds of blocks. Late and Malformed ones have no samples.
const (
	BlockDecoded   BlockKind = iota
	BlockConcealed           // made up
	BlockLate                // its packet came after it had been made up
	BlockMalformed           // its packet was none
)

// ReceiveTap is where a codec takes packets and gives sound to play. Its methods are
// called by one goroutine between StartReceiver and StopReceiver of a plan that is Coded.
type ReceiveTap interface {
	// TakePacket takes the oldest packet; its payload is copied over p.Payload.
	TakePacket(p *ArrivedPacket) bool
	// DueNs is when playout may first need a frame of the stream; playing is
	// false while it has no position.
	DueNs(media int64) (ns int64, playing bool)
	// GiveBlock hands a block to playout; false: no room.
	GiveBlock(Block) bool
}

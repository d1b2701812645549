package codec

// RateHz is the only rate of graph that the profile works at: that of Opus' own
// clock (RFC 7587, section 4.1).
const RateHz = 48000

// MaxChannels is how many channels one Opus stream has.
const MaxChannels = 2

// LookaheadFrames is how much later sound comes out of the decoder than it went
// into an encoder with restricted low delay: 2.5 ms. A test measures it.
const LookaheadFrames = RateHz / 400

// MaxPayloadBytes is the largest packet made: what RTP, UDP and IPv6 headers leave
// of 1,280 bytes. It bounds 20 ms at 480 kbit/s.
const MaxPayloadBytes = 1200

// maxPacketFrames is the longest packet there can be: 120 ms (RFC 6716, section 3.2.5).
const maxPacketFrames = RateHz * 120 / 1000

// Encoder makes packets. It is for one goroutine.
type Encoder interface {
	// Encode makes a packet of interleaved samples and returns its bytes.
	Encode(samples []float32, packet []byte) (int, error)
}

// Decoder undoes it. It is for one goroutine.
type Decoder interface {
	// Decode fills in interleaved samples and returns how many frames it made.
	Decode(packet []byte, samples []float32) (int, error)
	// Conceal makes up all of samples, a multiple of 2.5 ms, for packets that
	// are lost.
	Conceal(samples []float32) error
}

// Codec makes encoders and decoders at RateHz.
type Codec interface {
	NewEncoder(channels, bitsPerSecond int) (Encoder, error)
	NewDecoder(channels int) (Decoder, error)
}

// Cycle is what one capture callback took.
type Cycle struct {
	Media     int64  // the media clock at its start, in frames
	Timestamp uint32 // the same as RTP has it
	TimeNs    int64  // CLOCK_MONOTONIC of the callback
	LateNs    int64  // how long after the start of the graph's cycle that was; -1: not known
	Frames    int
	Samples   []float32 // interleaved; valid until the next call
}

// Encoded is a packet to be sent.
type Encoded struct {
	Payload   []byte
	Timestamp uint32 // RTP, of its first frame
	Cycle     *Cycle // that completed it
	LateNs    int64  // how long after the start of that cycle it leaves; -1: not known
}

// Outgoing is the core's part of sending. Its methods are called by one goroutine
// between StartSender and StopSender of a plan of Opus.
type Outgoing interface {
	// TakeCycle takes the oldest cycle that was captured.
	TakeCycle(*Cycle) bool
	// SendEncoded sends a packet, and earlier ones again, as the plan says.
	SendEncoded(Encoded)
}

// Packet is a packet that arrived. No copy of it follows.
type Packet struct {
	Media     int64 // RTP timestamp, extended to 64 bits
	Sequence  uint16
	ArrivalNs int64
	LateNs    int64 // what its sender says of it; -1: nothing
	Again     bool  // a repeat behind later packets: when it came says nothing
	Payload   []byte
}

// Block is what became of a packet, or of one that did not come.
type Block struct {
	Media   int64
	Frames  int
	Samples []float32 // interleaved
	ReadyNs int64     // CLOCK_MONOTONIC
	// ArrivalNs and LateNs are of its packet, as Packet has them.
	ArrivalNs, LateNs int64
	// Observed says that ArrivalNs and ReadyNs tell something of the sender's clock and
	// of how late packets are.
	Observed bool
	Kind     Kind
}

// Kind says what a block is.
type Kind int

// The kinds of blocks. Late and Malformed ones have no samples.
const (
	Decoded   Kind = iota
	Concealed      // made up
	Late           // its packet came after it had been made up
	Malformed      // its packet was none
)

// Incoming is the core's part of receiving. Its methods are called by one
// goroutine between StartReceiver and StopReceiver of a plan of Opus.
type Incoming interface {
	// TakePacket takes the oldest packet; its payload is copied over p.Payload.
	TakePacket(p *Packet) bool
	// DueNs is when playout may first need a frame of the stream; playing is
	// false while it has no position.
	DueNs(media int64) (ns int64, playing bool)
	// GiveBlock hands a block to playout; false: no room.
	GiveBlock(Block) bool
}

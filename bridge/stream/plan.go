package stream

import (
	"net/netip"
	"time"
)

// MaxCodedFrames is the longest coded packet that the core sends.
const MaxCodedFrames = 960

// Lock is the part of an end in a session in which one end's cycles drive the other end's
// graph.
type Lock int

// The parts. A session has a leader and a follower, or neither.
const (
	Unlocked Lock = iota // each graph has its own clock
	Leads                // this end's cycles drive the peer's graph
	Follows              // the peer's cycles drive this end's graph
)

// SendPlan is everything the core needs to send one stream. It does not change while
// in use; another plan replaces it.
type SendPlan struct {
	Format       Format
	PayloadType  uint8 // RTP payload type, 1 to 127
	PacketFrames int   // frames per packet, 1 to 4096
	SSRC         uint32
	To           netip.AddrPort
	Source       netip.Addr // ours that it leaves from; the zero Addr: as the routes say
	Repeats      Repeats    // what it sends again
	SendDelay    bool       // packets say their send delay, in a header extension
	// Lock: of a leader the first packet of each cycle has RTP's marker bit. Packets of a
	// follower have the timestamps of the leader's cycle that drove theirs, and the marker
	// where its graph ran without the leader before.
	Lock Lock
}

// ReceivePlan is everything the core needs to receive one stream.
type ReceivePlan struct {
	Format Format
	// GraphRateHz is the rate of the graph that plays the stream, 8000 to 192000; 0: that of
	// Format.
	GraphRateHz int
	SSRC        uint32 // 0: the first one seen
	// From is the address that media comes from; the zero Addr: that of the first
	// packet. The port is that of the first packet, too, and another one once that has
	// been quiet for 200 ms: addresses are translated on the way.
	From netip.Addr

	PayloadType uint8 // RTP payload type, 1 to 127

	Repeats   Repeats // that the peer agreed to send: no duplicates
	SendDelay bool    // packets say their send delay

	// Lock: playout needs neither SetRatio nor SeekTo. A follower plays in each cycle what
	// the leader captured in the cycle that drives it, a leader what the follower
	// captured in the cycle that one of its own drove, AnswerPeriods ago.
	Lock          Lock
	PeriodFrames  int           // of the leader; only with Lock
	AnswerPeriods int           // of a leader: 1 or 2
	MostWait      time.Duration // of a leader, from the start of a cycle: how long playout may wait for the answer
}

// Group is the multicast that a media socket takes part in.
type Group struct {
	Index  int        // of the network interface; 0: as the routes say
	TTL    int        // of what is sent, 1 to 255
	Group  netip.Addr // to receive from; the zero Addr: none
	Source netip.Addr // the only machine heard in Group; the zero Addr: any
}

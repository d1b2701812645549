package stream

import (
	"net/netip"
	"syscall"
)

//go:generate go run ./generate

// Each counter of the core is declared here, once. From the tags come the core's own
// fields, their way into Go, and all that shows them; "go generate ./bridge/stream"
// writes that, and a test holds it to this file.
//
//	c       the field's name in the core; none: the core's Go side or the session counts it
//	json    the key in the status; none: it is not shown
//	reason  instead of json, the key in rejected_by; counters of one reason are added up
//	metric  the name for Prometheus, behind archibald_
//	row     the row in the text and on the page; counters of one row share it
//	locked  the part of the end in a session, leads or follows, that the row is for; none: any
//	help    one sentence for the document and the metric

// Counters are totals since the core was opened, and momentary values.
type Counters struct {
	Sent     SendCounters
	Received ReceiveCounters
}

// SendCounters belong to the sending direction.
type SendCounters struct {
	Cycles        uint64        `c:"cycles"` // capture callbacks
	Packets       uint64        `c:"packets" json:"packets"`
	Bytes         uint64        `c:"bytes"` // RTP payload, repeats not counted
	SendErrors    uint64        `c:"errors" json:"send_errors" metric:"send_errors_total" help:"Datagrams that the kernel did not send."`
	SendErrno     syscall.Errno // why it last did; 0: never
	NonFinite     uint64        `c:"nonfinite"` // samples that were NaN or infinite, sent as 0
	Skips         uint64        `c:"skips" json:"xruns"`
	SkippedFrames uint64        `c:"skipped_frames"`

	LastTimestamp      uint32    // RTP timestamp of the last packet's first frame
	LastSendNs         int64     // CLOCK_MONOTONIC of that packet's capture callback
	LastCaptureDelayNs int64     // how long after its cycle's start that callback ran; 0: not known
	PeakLinear         []float64 // per channel, since the previous call; 1.0 is 0 dBFS
}

// ReceiveCounters belong to the receiving direction.
type ReceiveCounters struct {
	Cycles          uint64 `c:"cycles"` // playout callbacks
	Packets         uint64 `c:"packets" json:"packets" metric:"packets_total" row:"packets" help:"Packets sent or accepted; copies are not counted."`
	Bytes           uint64 `c:"bytes"` // RTP payload
	Lost            uint64 `c:"lost" json:"lost" metric:"lost_packets_total" row:"lost" help:"Packets that never came; of what is sent, as the peer says."`
	DiscardedLate   uint64 `c:"discarded_late" json:"late" metric:"late_packets_total" row:"late, duplicate, recovered" help:"Packets that came after their frames had been played, and were discarded (RFC 7002)."`
	Duplicate       uint64 `c:"duplicate" json:"duplicate" metric:"duplicate_packets_total" row:"late, duplicate, recovered" help:"Packets that came more often than the ends agreed."`
	Recovered       uint64 `c:"recovered" json:"recovered" metric:"recovered_packets_total" row:"late, duplicate, recovered" help:"Packets of which a copy was lost and another came; known 512 packets later at the least."`
	Reordered       uint64 `c:"reordered"` // came first after a later sequence number
	KernelDrops     uint64 `reason:"kernel" words:"not the peer's, by the kernel's filter" help:"Dropped by the socket's filter before they cost anything, or there was no room for them."`
	WrongSource     uint64 `c:"wrong_source" reason:"source" words:"from another address" help:"Not from the peer's address."`
	WrongSSRC       uint64 `c:"wrong_ssrc" reason:"ssrc" words:"with another SSRC" help:"Not the peer's SSRC."`
	WrongPayload    uint64 `c:"wrong_payload" reason:"payload_type" words:"with another payload type" help:"Not of the payload type that was agreed."`
	Malformed       uint64 `c:"malformed" reason:"malformed" words:"malformed" help:"Not RTP, truncated, or of a length that no packet of the format has."`
	Outside         uint64 `c:"outside" reason:"outside" words:"far outside the stream" help:"Timestamp or sequence number far from all others."`
	Implausible     uint64 `c:"implausible" reason:"outside"` // sequence number too far from the one before, and the next did not confirm it
	RTCPOverBudget  uint64 `c:"rtcp_over_budget" reason:"rtcp" words:"RTCP of others or too much" help:"Reports that are not the peer's, or more than it may send."`
	RTCPElsewhere   uint64 `reason:"rtcp"`   // not from where media comes, or another SSRC; counted by the session
	ReceiveErrors   uint64 `c:"read_errors"` // failures of reading from the socket
	NonFinite       uint64 `c:"nonfinite"`   // samples that were NaN or infinite, played as 0
	ConcealedFrames uint64 `c:"concealed_frames" json:"concealed_frames" metric:"concealed_frames_total" row:"concealed frames, dropouts" help:"Frames that were made up."`
	Dropouts        uint64 `c:"dropouts" json:"dropouts" metric:"dropouts_total" row:"concealed frames, dropouts" help:"Runs of frames that were made up."`
	Predicted       uint64 `c:"predicted"` // cycles whose last look-ahead had not come, and was predicted
	Skips           uint64 `c:"skips" json:"xruns" metric:"media_clock_jumps_total" row:"xruns" help:"Times that the graph of this end lost time."`
	SkippedFrames   uint64 `c:"skipped_frames"`
	Waited          uint64 `c:"waited" json:"waited" metric:"waited_cycles_total" row:"waited, unanswered, left out" locked:"leads" help:"Cycles of a leader in which playout waited for the follower's answer."`
	Unanswered      uint64 `c:"unanswered" json:"unanswered" metric:"unanswered_cycles_total" row:"waited, unanswered, left out" locked:"leads" help:"Cycles of a leader whose answer was not there in time, or not all of it: lost, late or left out."`
	LeftOut         uint64 `c:"left_out" json:"left_out" metric:"left_out_cycles_total" row:"waited, unanswered, left out" locked:"leads" help:"Cycles of a leader that the follower did not run, and sent no answer to."`
	MadeUp          uint64 `c:"made_up" json:"made_up" metric:"made_up_cycles_total" row:"made up, takeovers, given up" locked:"follows" help:"Cycles of a follower whose sound did not come, or not all of it, and was made up."`
	Takeovers       uint64 `c:"takeovers" json:"takeovers" metric:"takeovers_total" row:"made up, takeovers, given up" locked:"follows" help:"Times that a follower's timer took over because the leader's packets had stopped."`
	GivenUp         uint64 `c:"given_up" json:"given_up" metric:"given_up_cycles_total" row:"made up, takeovers, given up" locked:"follows" help:"Cycles of a follower that did not end within three periods."`
	Observations    uint64 // lost because nobody read them

	LastPacketNs    int64  // CLOCK_MONOTONIC, 0: none yet
	HighestSequence uint32 // extended (RFC 3550, appendix A.1)
	SeenPayloadType uint8  // of the last packet that WrongPayload counts
	// SeenSource is where a packet came from that WrongSource counts, one of the last;
	// invalid before there was one.
	SeenSource netip.AddrPort
	PeakLinear []float64
}

// Grown is how much a counter grew; one that counts what is missing can shrink again.
func Grown(now, then uint64) uint64 {
	if now < then {
		return 0
	}
	return now - then
}

// Code generated from bridge/stream/counters.go by go generate; DO NOT EDIT.

package status

import "archibald-bridge/bridge/stream"

// Counts are the counts of one direction.
type Counts struct {
	Packets         uint64   `json:"packets"`          // packets sent or accepted; copies are not counted
	Lost            uint64   `json:"lost"`             // packets that never came; of what is sent, as the peer says
	Late            uint64   `json:"late"`             // packets that came after their frames had been played, and were discarded (RFC 7002)
	Duplicate       uint64   `json:"duplicate"`        // packets that came more often than the ends agreed
	Recovered       uint64   `json:"recovered"`        // packets of which a copy was lost and another came; known 512 packets later at the least
	ConcealedFrames uint64   `json:"concealed_frames"` // frames that were made up
	Dropouts        uint64   `json:"dropouts"`         // runs of frames that were made up
	Xruns           uint64   `json:"xruns"`            // times that the graph of this end lost time
	Waited          uint64   `json:"waited"`           // cycles of a leader in which playout waited for the follower's answer
	Unanswered      uint64   `json:"unanswered"`       // cycles of a leader whose answer was not there in time, or not all of it: lost, late or left out
	LeftOut         uint64   `json:"left_out"`         // cycles of a leader that the follower did not run, and sent no answer to
	MadeUp          uint64   `json:"made_up"`          // cycles of a follower whose sound did not come, or not all of it, and was made up
	Takeovers       uint64   `json:"takeovers"`        // times that a follower's timer took over because the leader's packets had stopped
	GivenUp         uint64   `json:"given_up"`         // cycles of a follower that did not end within three periods
	SendErrors      uint64   `json:"send_errors"`      // datagrams that the kernel did not send
	Rejected        uint64   `json:"rejected"`         // not RTP, or not of the peer, the SSRC or the format agreed
	RejectedBy      Rejected `json:"rejected_by"`      // the same by reason
}

// Rejected counts the datagrams that came in and were not used, by reason.
type Rejected struct {
	Kernel      uint64 `json:"kernel"`       // dropped by the socket's filter before they cost anything, or there was no room for them
	Source      uint64 `json:"source"`       // not from the peer's address
	SSRC        uint64 `json:"ssrc"`         // not the peer's SSRC
	PayloadType uint64 `json:"payload_type"` // not of the payload type that was agreed
	Malformed   uint64 `json:"malformed"`    // not RTP, truncated, or of a length that no packet of the format has
	Outside     uint64 `json:"outside"`      // timestamp or sequence number far from all others
	RTCP        uint64 `json:"rtcp"`         // reports that are not the peer's, or more than it may send
}

// Reasons are all counts, in a fixed order.
func (r Rejected) Reasons() []Reason {
	return []Reason{
		{"kernel", "not the peer's, by the kernel's filter", r.Kernel},
		{"source", "from another address", r.Source},
		{"ssrc", "with another SSRC", r.SSRC},
		{"payload_type", "with another payload type", r.PayloadType},
		{"malformed", "malformed", r.Malformed},
		{"outside", "far outside the stream", r.Outside},
		{"rtcp", "RTCP of others or too much", r.RTCP},
	}
}

// SentSince is how much was counted of what is sent. Losses are the peer's to tell.
func SentSince(now, then stream.SendCounters) Counts {
	return Counts{
		Packets:    stream.Grown(now.Packets, then.Packets),
		SendErrors: stream.Grown(now.SendErrors, then.SendErrors),
		Xruns:      stream.Grown(now.Skips, then.Skips),
	}
}

// ReceivedSince is how much was counted of what is received.
func ReceivedSince(now, then stream.ReceiveCounters) Counts {
	counts := Counts{
		Packets:         stream.Grown(now.Packets, then.Packets),
		Lost:            stream.Grown(now.Lost, then.Lost),
		Late:            stream.Grown(now.DiscardedLate, then.DiscardedLate),
		Duplicate:       stream.Grown(now.Duplicate, then.Duplicate),
		Recovered:       stream.Grown(now.Recovered, then.Recovered),
		ConcealedFrames: stream.Grown(now.ConcealedFrames, then.ConcealedFrames),
		Dropouts:        stream.Grown(now.Dropouts, then.Dropouts),
		Xruns:           stream.Grown(now.Skips, then.Skips),
		Waited:          stream.Grown(now.Waited, then.Waited),
		Unanswered:      stream.Grown(now.Unanswered, then.Unanswered),
		LeftOut:         stream.Grown(now.LeftOut, then.LeftOut),
		MadeUp:          stream.Grown(now.MadeUp, then.MadeUp),
		Takeovers:       stream.Grown(now.Takeovers, then.Takeovers),
		GivenUp:         stream.Grown(now.GivenUp, then.GivenUp),
		RejectedBy: Rejected{
			Kernel:      stream.Grown(now.KernelDrops, then.KernelDrops),
			Source:      stream.Grown(now.WrongSource, then.WrongSource),
			SSRC:        stream.Grown(now.WrongSSRC, then.WrongSSRC),
			PayloadType: stream.Grown(now.WrongPayload, then.WrongPayload),
			Malformed:   stream.Grown(now.Malformed, then.Malformed),
			Outside:     stream.Grown(now.Outside+now.Implausible, then.Outside+then.Implausible),
			RTCP:        stream.Grown(now.RTCPOverBudget+now.RTCPElsewhere, then.RTCPOverBudget+then.RTCPElsewhere),
		},
	}
	counts.Rejected = counts.RejectedBy.Sum()
	return counts
}

var countMetrics = []metric[Direction]{
	describe("packets_total", "Packets sent or accepted; copies are not counted.", ofDirection, func(d Direction) float64 { return float64(d.Total.Packets) }),
	describe("lost_packets_total", "Packets that never came; of what is sent, as the peer says.", ofDirection, func(d Direction) float64 { return float64(d.Total.Lost) }),
	describe("late_packets_total", "Packets that came after their frames had been played, and were discarded (RFC 7002).", ofDirection, func(d Direction) float64 { return float64(d.Total.Late) }),
	describe("duplicate_packets_total", "Packets that came more often than the ends agreed.", ofDirection, func(d Direction) float64 { return float64(d.Total.Duplicate) }),
	describe("recovered_packets_total", "Packets of which a copy was lost and another came; known 512 packets later at the least.", ofDirection, func(d Direction) float64 { return float64(d.Total.Recovered) }),
	describe("concealed_frames_total", "Frames that were made up.", ofDirection, func(d Direction) float64 { return float64(d.Total.ConcealedFrames) }),
	describe("dropouts_total", "Runs of frames that were made up.", ofDirection, func(d Direction) float64 { return float64(d.Total.Dropouts) }),
	describe("media_clock_jumps_total", "Times that the graph of this end lost time.", ofDirection, func(d Direction) float64 { return float64(d.Total.Xruns) }),
	describe("waited_cycles_total", "Cycles of a leader in which playout waited for the follower's answer.", ofDirection, func(d Direction) float64 { return float64(d.Total.Waited) }),
	describe("unanswered_cycles_total", "Cycles of a leader whose answer was not there in time, or not all of it: lost, late or left out.", ofDirection, func(d Direction) float64 { return float64(d.Total.Unanswered) }),
	describe("left_out_cycles_total", "Cycles of a leader that the follower did not run, and sent no answer to.", ofDirection, func(d Direction) float64 { return float64(d.Total.LeftOut) }),
	describe("made_up_cycles_total", "Cycles of a follower whose sound did not come, or not all of it, and was made up.", ofDirection, func(d Direction) float64 { return float64(d.Total.MadeUp) }),
	describe("takeovers_total", "Times that a follower's timer took over because the leader's packets had stopped.", ofDirection, func(d Direction) float64 { return float64(d.Total.Takeovers) }),
	describe("given_up_cycles_total", "Cycles of a follower that did not end within three periods.", ofDirection, func(d Direction) float64 { return float64(d.Total.GivenUp) }),
	describe("send_errors_total", "Datagrams that the kernel did not send.", ofDirection, func(d Direction) float64 { return float64(d.Total.SendErrors) }),
}

var countRows = []countRow{
	{"packets", true, "", func(c Counts) []uint64 { return []uint64{c.Packets} }},
	{"lost", true, "", func(c Counts) []uint64 { return []uint64{c.Lost} }},
	{"late, duplicate, recovered", false, "", func(c Counts) []uint64 { return []uint64{c.Late, c.Duplicate, c.Recovered} }},
	{"concealed frames, dropouts", false, "", func(c Counts) []uint64 { return []uint64{c.ConcealedFrames, c.Dropouts} }},
	{"xruns", true, "", func(c Counts) []uint64 { return []uint64{c.Xruns} }},
	{"waited, unanswered, left out", false, "leads", func(c Counts) []uint64 { return []uint64{c.Waited, c.Unanswered, c.LeftOut} }},
	{"made up, takeovers, given up", false, "follows", func(c Counts) []uint64 { return []uint64{c.MadeUp, c.Takeovers, c.GivenUp} }},
}

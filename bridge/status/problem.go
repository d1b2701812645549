package status

// Problem is something that keeps a bridge from working as it was asked to, with
// its cause as far as it is known.
type Problem struct {
	Code string `json:"code"` // names the kind, for programs: "send-refused"
	Side Side   `json:"side"`
	Text string `json:"text"` // one line for people: the thing, its value, what to do
}

// Side is the part of an end that has a problem.
type Side string

// The sides.
const (
	SideSend    Side = "send"
	SideReceive Side = "receive"
	SideSession Side = "session"
	SideAudio   Side = "audio"
)

// Rejected counts the datagrams that came in and were not used, by reason.
type Rejected struct {
	Kernel      uint64 `json:"kernel"`       // dropped by the socket's filter, or without room for them
	Source      uint64 `json:"source"`       // not from where the peer's media comes
	SSRC        uint64 `json:"ssrc"`         // another SSRC than the peer's
	PayloadType uint64 `json:"payload_type"` // another one than was agreed
	Malformed   uint64 `json:"malformed"`    // not RTP, truncated, wrong length
	Outside     uint64 `json:"outside"`      // timestamp or sequence number far from all others
	RTCP        uint64 `json:"rtcp"`         // reports not of the peer, or more than it may send
}

// Reason is one count of Rejected by its name.
type Reason struct {
	Name  string // as in JSON
	Words string
	Count uint64
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

// Sum is how many were rejected in all.
func (r Rejected) Sum() (sum uint64) {
	for _, reason := range r.Reasons() {
		sum += reason.Count
	}
	return sum
}

// Totals are counts of a direction since the program started; the same names beside
// them count since the session began.
type Totals struct {
	Packets         uint64   `json:"packets"`
	Lost            uint64   `json:"lost"`
	Late            uint64   `json:"late"`
	Duplicate       uint64   `json:"duplicate"`
	Rejected        uint64   `json:"rejected"`
	RejectedBy      Rejected `json:"rejected_by"`
	Recovered       uint64   `json:"recovered"`
	ConcealedFrames uint64   `json:"concealed_frames"`
	Dropouts        uint64   `json:"dropouts"`
	Xruns           uint64   `json:"xruns"`
	SendErrors      uint64   `json:"send_errors"`
}

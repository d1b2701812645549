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
